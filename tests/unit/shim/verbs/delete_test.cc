#include "shim/verbs/delete.h"

#include "containerd/task.pb.h"
#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

Options options_for(const TempDir& bundle) {
  Options options;
  options.containerd_namespace = "shim-unit-test";
  options.address = bundle.path();  // a socket name that nobody else has
  options.id = "shim-unit-test-delete";
  options.bundle = bundle.path();
  return options;
}

TEST(Delete, SucceedsWhenAllIsGone) {
  TempDir bundle;
  ASSERT_TRUE(write_file(bundle / "init.pid", "4321"));
  auto begin = Clock::now();
  auto text = delete_leftovers(options_for(bundle));
  ASSERT_TRUE(text) << text.error().message();
  containerd::task::v2::DeleteResponse response;
  ASSERT_TRUE(response.ParseFromString(*text));
  EXPECT_EQ(response.exit_status(), 137u);
  EXPECT_EQ(response.pid(), 4321u);
  EXPECT_GT(response.exited_at().seconds(), 1600000000);
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_TRUE(delete_leftovers(options_for(bundle))) << "a second time";
}

}  // namespace
}  // namespace kata::shim
