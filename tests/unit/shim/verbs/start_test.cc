#include "shim/verbs/start.h"

#include <filesystem>

#include "shim/address.h"
#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

// A bundle as working directory, as containerd starts us.
class StartTest : public ::testing::Test {
 protected:
  StartTest() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(bundle_.path());
    options_.containerd_namespace = "k8s.io";
    options_.address = "/run/containerd/containerd.sock";
    options_.id = "app1";
  }
  ~StartTest() override { std::filesystem::current_path(before_); }

  void write_spec(const std::string& annotations) {
    ASSERT_TRUE(write_file(bundle_ / "config.json",
                           R"({"ociVersion":"1.1.0","root":{"path":"rootfs"},)"
                           R"("process":{"cwd":"/","args":["sh"],"user":{"uid":0,"gid":0}},)"
                           R"("linux":{},"annotations":{)" +
                               annotations + "}}"));
  }

  std::filesystem::path before_;
  TempDir bundle_;
  Options options_;
};

TEST_F(StartTest, AContainerOfAPodGetsTheAddressOfItsSandbox) {
  write_spec(
      R"("io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"pod1")");
  auto address = start(options_);
  ASSERT_TRUE(address) << address.error().message();
  EXPECT_EQ(*address, socket_address(options_.address, "k8s.io", "pod1"));
  EXPECT_EQ(*read_address_file(bundle_.path()), *address);
  EXPECT_FALSE(path_exists(bundle_ / "shim.pid")) << "nothing was started";
}

TEST_F(StartTest, ABrokenSpecIsReportedAndLeavesNothing) {
  ASSERT_TRUE(write_file(bundle_ / "config.json", "{"));
  EXPECT_FALSE(start(options_));
  write_spec(R"("io.kubernetes.cri.container-type":"pet")");
  EXPECT_FALSE(start(options_));
  EXPECT_EQ(list_dir(bundle_.path())->size(), 1u);
}

}  // namespace
}  // namespace kata::shim
