#include "runtime/pod_settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"

namespace kata::runtime {
namespace {

class PodSettingsTest : public testing::Test {
 protected:
  PodSettingsTest() {
    char name[] = "/tmp/kata-pod.XXXXXX";
    folder_ = std::string(mkdtemp(name)) + "/files";
    pod_.files = {{"/etc/hosts", "127.0.0.1 localhost\n"}, {"/etc/hostname", "web\n"}};
    pod_.sysctls = {{"net.core.somaxconn", "1024"}};
  }
  ~PodSettingsTest() override { EXPECT_TRUE(remove_tree(dirname(folder_))); }

  std::string folder_;
  PodSettings pod_;
};

const grpc::Mount* mount_on(const grpc::Spec& spec, const std::string& destination) {
  for (const auto& mount : spec.mounts()) {
    if (mount.destination() == destination) return &mount;
  }
  return nullptr;
}

TEST_F(PodSettingsTest, FilesAreWrittenOnceAndMountedInEachContainer) {
  ASSERT_TRUE(write_files(&pod_, folder_));
  EXPECT_EQ(*read_file(folder_ + "/hosts"), "127.0.0.1 localhost\n");
  struct stat info {};
  ASSERT_EQ(stat((folder_ + "/hostname").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644U) << "any user of a container reads it";
  grpc::Spec spec;
  complete_with(pod_, &spec);
  const grpc::Mount* hosts = mount_on(spec, "/etc/hosts");
  ASSERT_TRUE(hosts);
  EXPECT_EQ(hosts->source(), folder_ + "/hosts");
  EXPECT_EQ(hosts->type(), "bind");
  EXPECT_EQ(hosts->options(2), "rw");
  EXPECT_EQ(spec.linux().sysctl().at("net.core.somaxconn"), "1024");
}

TEST_F(PodSettingsTest, WhatARebootLeftGoes) {
  const std::string root = dirname(folder_) + "/pods", states = dirname(folder_) + "/states";
  for (const char* path : {"/pods/old", "/pods/here", "/states/here"}) {
    ASSERT_TRUE(make_dirs(dirname(folder_) + path, 0700));
  }
  ASSERT_TRUE(write_file(root + "/old/hosts", "x"));
  drop_forgotten_files(root, states);
  EXPECT_FALSE(path_exists(root + "/old"));
  EXPECT_TRUE(path_exists(root + "/here"));
}

TEST_F(PodSettingsTest, WhatTheContainersSpecSaysWins) {
  grpc::Spec spec;
  spec.mutable_root()->set_readonly(true);
  auto* hosts = spec.add_mounts();
  hosts->set_destination("/etc/hosts");
  hosts->set_source("/var/lib/kubelet/pods/1/etc-hosts");
  (*spec.mutable_linux()->mutable_sysctl())["net.core.somaxconn"] = "7";
  complete_with(pod_, &spec);
  EXPECT_EQ(mount_on(spec, "/etc/hosts")->source(), "/var/lib/kubelet/pods/1/etc-hosts");
  EXPECT_EQ(mount_on(spec, "/etc/hostname")->options(2), "ro") << "as the root file system";
  EXPECT_EQ(spec.linux().sysctl().at("net.core.somaxconn"), "7");
}

TEST_F(PodSettingsTest, ShmIsThePodsUnlessAVolumeIsThere) {
  grpc::Spec spec;
  auto* own = spec.add_mounts();
  own->set_destination("/dev/shm");
  own->set_type("tmpfs");
  own->add_options("size=65536k");
  complete_with(pod_, &spec);
  EXPECT_EQ(mount_on(spec, "/dev/shm")->type(), "bind");
  grpc::Spec without;
  complete_with(pod_, &without);
  EXPECT_EQ(mount_on(without, "/dev/shm")->type(), "bind");
  grpc::Spec volume;
  auto* bind = volume.add_mounts();
  bind->set_destination("/dev/shm");
  bind->set_type("bind");
  bind->set_source("/var/lib/kubelet/pods/1/volumes/x");
  complete_with(pod_, &volume);
  EXPECT_EQ(mount_on(volume, "/dev/shm")->source(), "/var/lib/kubelet/pods/1/volumes/x");
}

}  // namespace
}  // namespace kata::runtime
