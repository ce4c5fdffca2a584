#include "agent/sandbox/guest_hooks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"

namespace kata::agent {
namespace {

TEST(GuestHooks, ExecutableFilesOfTheFoldersRunAfterThoseOfTheSpec) {
  char name[] = "/tmp/kata-hooks-XXXXXX";
  std::string folder = mkdtemp(name);
  ASSERT_TRUE(make_dirs(folder + "/prestart/folder"));
  for (const char* file : {"/prestart/20-b", "/prestart/10-a"}) {
    ASSERT_TRUE(write_file(folder + file, "", 0755));
  }
  ASSERT_TRUE(write_file(folder + "/prestart/no-program", "", 0644));
  ASSERT_EQ(symlink("10-a", (folder + "/prestart/link").c_str()), 0);
  grpc::Spec spec;
  spec.mutable_hooks()->add_prestart()->set_path("/of/the/spec");
  GuestHooks::scan(folder).append_to(&spec);
  ASSERT_EQ(spec.hooks().prestart_size(), 3);
  EXPECT_EQ(spec.hooks().prestart(0).path(), "/of/the/spec");
  const grpc::Hook& first = spec.hooks().prestart(1);
  EXPECT_EQ(first.path(), folder + "/prestart/10-a");
  ASSERT_EQ(first.args_size(), 2);
  EXPECT_EQ(first.args(0), "10-a");
  EXPECT_EQ(first.args(1), "prestart");
  EXPECT_EQ(first.timeout(), 10);
  EXPECT_EQ(spec.hooks().poststop_size(), 0);
  ASSERT_TRUE(remove_tree(folder));
}

TEST(GuestHooks, OfCreateContainerOnlyProgramsOfTheGuestAreKept) {
  grpc::Spec spec;
  for (const char* path : {"/no/such/tool", "/bin/true", "relative", "/nor/this"}) {
    spec.mutable_hooks()->add_createcontainer()->set_path(path);
  }
  spec.mutable_hooks()->add_startcontainer()->set_path("/only/in/the/container");
  drop_foreign_hooks(&spec);
  ASSERT_EQ(spec.hooks().createcontainer_size(), 2);
  EXPECT_EQ(spec.hooks().createcontainer(0).path(), "/bin/true");
  EXPECT_EQ(spec.hooks().createcontainer(1).path(), "relative") << "refused when it is run";
  EXPECT_EQ(spec.hooks().startcontainer_size(), 1);
}

}  // namespace
}  // namespace kata::agent
