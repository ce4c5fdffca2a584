#include "runtime/pod_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
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

}  // namespace
}  // namespace kata::runtime
