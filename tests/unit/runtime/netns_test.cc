#include "runtime/netns.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kata::runtime {
namespace {

grpc::Spec spec_with_network(const std::string& path) {
  grpc::Spec spec;
  auto* entry = spec.mutable_linux()->add_namespaces();
  entry->set_type("network");
  entry->set_path(path);
  return spec;
}

TEST(NetnsTest, HostNetworkIsRefusedInEachForm) {
  std::vector<grpc::Spec> specs = {grpc::Spec(), spec_with_network("/proc/self/ns/net")};
  // In a container of its own the tests may not look at init.
  if (access("/proc/1/ns/net", R_OK) == 0) specs.push_back(spec_with_network("/proc/1/ns/net"));
  for (const grpc::Spec& spec : specs) {
    auto netns = sandbox_netns(spec);
    ASSERT_FALSE(netns);
    EXPECT_NE(netns.error().message().find("the host's network"), std::string::npos)
        << netns.error().message();
  }
}

TEST(NetnsTest, ANewNamespaceIsNotOurs) {
  auto netns = sandbox_netns(spec_with_network(""));
  ASSERT_TRUE(netns) << netns.error().message();
  struct stat made {
  }, ours{};
  ASSERT_EQ(fstat(netns->fd.get(), &made), 0);
  ASSERT_EQ(stat("/proc/self/ns/net", &ours), 0);
  EXPECT_NE(made.st_ino, ours.st_ino);
}

TEST(NetnsTest, OtherFilesAreRefused) {
  EXPECT_FALSE(sandbox_netns(spec_with_network("/proc/self/ns/mnt")));
  EXPECT_FALSE(sandbox_netns(spec_with_network("/etc/passwd")));
  EXPECT_FALSE(sandbox_netns(spec_with_network("/no/such/netns")));
}

}  // namespace
}  // namespace kata::runtime
