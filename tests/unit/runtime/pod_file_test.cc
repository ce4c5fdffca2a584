#include "runtime/pod_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "support/private_mounts.h"
#include "support/temp_folder.h"

namespace kata::runtime {
namespace {

class PodFile : public testing::Test {
 protected:
  void SetUp() override { path_ = folder_ + "/pod.json"; }
  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
  std::string path_;
};

TEST_F(PodFile, NamesOfBothManagers) {
  grpc::Spec spec;
  auto& notes = *spec.mutable_annotations();
  notes["io.kubernetes.cri.sandbox-uid"] = "u-1";
  notes["io.kubernetes.cri.sandbox-name"] = "web \"x\"";
  notes["io.kubernetes.cri.sandbox-namespace"] = "prod";
  ASSERT_TRUE(write_pod_file(spec, path_));
  const PodIdentity pod = read_pod_file(path_);
  EXPECT_EQ(pod.uid, "u-1");
  EXPECT_EQ(pod.name, "web \"x\"");
  EXPECT_EQ(pod.name_space, "prod");
  grpc::Spec crio;
  (*crio.mutable_annotations())["io.kubernetes.cri-o.KubeName"] = "db";
  (*crio.mutable_annotations())["io.kubernetes.cri-o.Namespace"] = "prod";
  EXPECT_EQ(pod_identity(crio).name, "db");
  EXPECT_EQ(pod_identity(crio).name_space, "prod");
}

TEST_F(PodFile, NothingForASingleContainer) {
  ASSERT_TRUE(write_pod_file(grpc::Spec(), path_));
  EXPECT_FALSE(path_exists(path_));
  EXPECT_EQ(read_pod_file(path_).name, "");
}

TEST_F(PodFile, DamagedOnesAreEmpty) {
  for (const char* text : {"", "[]", "{\"name\":1}", "{\"name\":\"x", "\xff\xfe"}) {
    ASSERT_TRUE(write_file(path_, text));
    EXPECT_EQ(read_pod_file(path_).name, "") << text;
  }
}

TEST_F(PodFile, AFullDiskIsAnErrorThatLeavesNothing) {
  test::in_private_mounts([this] {
    ASSERT_EQ(mount("none", folder_.c_str(), "tmpfs", 0, "size=4k"), 0);
    ASSERT_TRUE(write_file(folder_ + "/filler", std::string(4096, 'x')));
    grpc::Spec spec;
    (*spec.mutable_annotations())["io.kubernetes.cri.sandbox-name"] = "web";
    const Status written = write_pod_file(spec, path_);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().sys_errno(), ENOSPC) << written.error().message();
    EXPECT_EQ(list_dir(folder_).value(), std::vector<std::string>{"filler"});
  });
}

}  // namespace
}  // namespace kata::runtime
