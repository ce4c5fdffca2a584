#include "resources/host_cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "resources/cgroup_path.h"
#include "resources/host_cpus.h"

namespace kata::resources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kHybrid[] =
    "30 20 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "35 30 0:31 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
    "36 30 0:30 / /mnt/memory rw - cgroup cgroup rw,memory\n";

TEST(HostCgroups, AHybridHostIsAV1Host) {
  const HostCgroups host = find_host_cgroups(kHybrid);
  EXPECT_FALSE(host.unified);
  ASSERT_EQ(host.hierarchies.size(), 2u);  // pids is read-only, /mnt a second place
  EXPECT_EQ(host.hierarchies[0].root, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_TRUE(host.hierarchies[0].has("cpuacct"));
  EXPECT_EQ(host.hierarchies[1].root, "/sys/fs/cgroup/memory");
  EXPECT_THAT(host.own_folders("9:name=systemd:/a\n5:cpu,cpuacct:/\n4:memory:/box/x\n0::/u\n"),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory/box/x"));
}

TEST(HostCgroups, FindsTheUnifiedHierarchy) {
  const HostCgroups host =
      find_host_cgroups("30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
  EXPECT_TRUE(host.unified);
  EXPECT_THAT(host.own_folders("0::/system.slice/containerd.service\n"),
              ElementsAre("/sys/fs/cgroup/system.slice/containerd.service"));
}

TEST(HostCgroups, AV1HierarchyBelowTheUnifiedOneChangesNothing) {
  const HostCgroups host = find_host_cgroups(
      "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "31 30 0:27 / /sys/fs/cgroup/net_cls rw - cgroup cgroup rw,net_cls\n");
  EXPECT_TRUE(host.unified);
  ASSERT_EQ(host.hierarchies.size(), 1u);
  EXPECT_EQ(host.hierarchies[0].root, "/sys/fs/cgroup");
}

TEST(HostCgroups, NothingWritableIsNothing) {
  EXPECT_TRUE(find_host_cgroups("30 20 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n").empty());
  EXPECT_TRUE(find_host_cgroups("30 20 0:26 /\n\nnonsense - cgroup2\n").empty());
}

TEST(CgroupPath, FollowsTheSpec) {
  EXPECT_EQ(*sandbox_cgroup_path("/kubepods/pod1/abc", "s1"), "/kubepods/pod1/kata_abc");
  EXPECT_EQ(*sandbox_cgroup_path("/abc", "s1"), "/kata_abc");
  EXPECT_EQ(*sandbox_cgroup_path("", "s1"), "/vc/kata_s1");
  EXPECT_EQ(*sandbox_cgroup_path("//kubepods//abc/", "s1"), "/kubepods/kata_abc");
  EXPECT_EQ(*sandbox_cgroup_path("own/abc", "s1"), "/vc/own/kata_abc");
  EXPECT_EQ(*sandbox_cgroup_path("kubepods-burstable-pod1_2.slice:cri-containerd:abc", "s1"),
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/"
            "cri-containerd-abc.scope");
  EXPECT_EQ(*sandbox_cgroup_path(":docker:abc", "s1"), "/system.slice/docker-abc.scope");
  EXPECT_EQ(*sandbox_cgroup_path("-.slice:crio:abc", "s1"), "/crio-abc.scope");
}

TEST(CgroupPath, RefusesWhatLeavesItsPlace) {
  for (const char* path : {"/a/../b", "/a/.", "/", "///", "../x", "a b", "x:y:z", "a--b.slice:p:n",
                           "x.slice:p:../n", "x.slice:../p:n", "x.slice:p:", "y/x.slice:p:n"}) {
    auto made = sandbox_cgroup_path(path, "s1");
    ASSERT_FALSE(made) << path << " -> " << *made;
    EXPECT_THAT(made.error().message(), HasSubstr("linux.cgroupsPath"));
  }
}

TEST(HostCpus, NamesWhatTheHostHas) {
  EXPECT_EQ(*host_cpus("0-1", {0, 1, 2}), (CpuSet{0, 1}));
  EXPECT_TRUE(host_cpus("", {0, 1})->empty());
  auto refused = host_cpus("0-99", {0, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("the host has only the CPUs 0-1"));
  EXPECT_FALSE(host_cpus("-1", {0, 1}));
}

}  // namespace
}  // namespace kata::resources
