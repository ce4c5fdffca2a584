// Resources of a spec as control file values, and the path rules.
#include <gtest/gtest.h>

#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/limits_v1.h"
#include "agent/cgroup/limits_v2.h"

namespace kata::agent {
namespace {

using Writes = std::vector<ControlWrite>;

Writes v2(const grpc::LinuxResources& resources, const std::string& cpu_max = "max 100000\n") {
  auto writes = limits_v2(resources, cpu_max);
  EXPECT_TRUE(writes) << writes.error().message();
  return writes ? *writes : Writes();
}

TEST(CgroupPath, Forms) {
  EXPECT_EQ(*resolve_cgroups_path("/a/b", "c"), "/a/b");
  EXPECT_EQ(*resolve_cgroups_path("a//b/", "c"), "/a/b");
  EXPECT_EQ(*resolve_cgroups_path("", "cid"), "/cid");
  EXPECT_EQ(*resolve_cgroups_path("kube.slice:cri:cid", "cid"), "/kube.slice/cri/cid");
  EXPECT_EQ(*resolve_cgroups_path(":cri:cid", "cid"), "/cri/cid");
  EXPECT_EQ(*resolve_cgroups_path("/x/cri:cid", "cid"), "/x/cri:cid");
}

TEST(CgroupPath, NeverLeavesTheHierarchy) {
  for (const char* path :
       {"..", "/../x", "/a/../../b", "..:a:b", "/", "//", ".", "/a/./b", "/a\nb"}) {
    EXPECT_FALSE(resolve_cgroups_path(path, "cid")) << path;
  }
}

TEST(LimitsV2, CpuWeightFormula) {
  EXPECT_EQ(cpu_weight(2), 1U);
  EXPECT_EQ(cpu_weight(1024), 39U);
  EXPECT_EQ(cpu_weight(262144), 10000U);
  EXPECT_EQ(cpu_weight(0), 1U);
  EXPECT_EQ(cpu_weight(1'000'000), 10000U);
  EXPECT_EQ(io_weight(10), 1U);
  EXPECT_EQ(io_weight(1000), 10000U);
}

TEST(LimitsV2, Cpu) {
  grpc::LinuxResources resources;
  auto* cpu = resources.mutable_cpu();
  cpu->set_shares(1024);
  cpu->set_quota(50000);
  cpu->set_period(100000);
  cpu->set_burst(1000);
  cpu->set_idle(1);
  cpu->set_cpus("0-1");
  cpu->set_mems("0");
  EXPECT_EQ(v2(resources), (Writes{{"cpu.idle", "1"},
                                   {"cpu.weight", "39"},
                                   {"cpu.max", "50000 100000"},
                                   {"cpu.max.burst", "1000"},
                                   {"cpuset.mems", "0"},
                                   {"cpuset.cpus", "0-1"}}));
}

TEST(LimitsV2, QuotaAndPeriodKeepEachOther) {
  grpc::LinuxResources resources;
  resources.mutable_cpu()->set_period(20000);
  EXPECT_EQ(v2(resources, "5000 100000\n"), (Writes{{"cpu.max", "5000 20000"}}));
  resources.mutable_cpu()->clear_period();
  resources.mutable_cpu()->set_quota(-1);
  EXPECT_EQ(v2(resources, "5000 20000\n"), (Writes{{"cpu.max", "max 20000"}}));
  EXPECT_EQ(v2(resources, ""), (Writes{{"cpu.max", "max 100000"}}));
}

TEST(LimitsV2, SwapIsTheDifference) {
  grpc::LinuxResources resources;
  resources.mutable_memory()->set_limit(100);
  resources.mutable_memory()->set_swap(150);
  resources.mutable_memory()->set_reservation(50);
  EXPECT_EQ(v2(resources),
            (Writes{{"memory.swap.max", "50"}, {"memory.max", "100"}, {"memory.low", "50"}}));
  resources.mutable_memory()->set_swap(100);
  EXPECT_EQ(v2(resources)[0], (ControlWrite{"memory.swap.max", "0", true}));
  resources.mutable_memory()->set_swap(99);
  EXPECT_FALSE(limits_v2(resources, ""));
  resources.mutable_memory()->set_swap(-1);
  resources.mutable_memory()->set_limit(-1);
  EXPECT_EQ(v2(resources)[1], (ControlWrite{"memory.max", "max"}));
}

TEST(LimitsV2, PidsIoHugetlb) {
  grpc::LinuxResources resources;
  resources.mutable_pids()->set_limit(10);
  resources.mutable_blockio()->set_weight(500);
  auto* throttle = resources.mutable_blockio()->add_throttlereadbpsdevice();
  throttle->set_major(8);
  throttle->set_minor(16);
  throttle->set_rate(1024);
  auto* huge = resources.add_hugepagelimits();
  huge->set_pagesize("2MB");
  huge->set_limit(4096);
  EXPECT_EQ(v2(resources), (Writes{{"pids.max", "10"},
                                   {"io.weight", "default 4950"},
                                   {"io.max", "8:16 rbps=1024"},
                                   {"hugetlb.2MB.max", "4096"},
                                   {"hugetlb.2MB.rsvd.max", "4096", true}}));
  resources.Clear();
  resources.mutable_pids()->set_limit(-1);
  EXPECT_EQ(v2(resources), (Writes{{"pids.max", "max"}}));
  resources.mutable_pids()->set_limit(0);
  EXPECT_TRUE(v2(resources).empty());
}

TEST(LimitsV2, UnifiedNamesFilesOnly) {
  grpc::LinuxResources resources;
  (*resources.mutable_unified())["memory.high"] = "1000";
  EXPECT_EQ(v2(resources), (Writes{{"memory.high", "1000"}}));
  for (const char* name : {"../x", "a/memory.high", "cgroup.procs", "", "plain"}) {
    resources.mutable_unified()->clear();
    (*resources.mutable_unified())[name] = "1";
    EXPECT_FALSE(limits_v2(resources, "")) << name;
  }
}

TEST(LimitsV1, MemoryOrderKeepsTheSumAbove) {
  grpc::LinuxResources resources;
  resources.mutable_memory()->set_limit(100);
  resources.mutable_memory()->set_swap(200);
  auto raise = limits_v1(resources, 50)["memory"];
  EXPECT_EQ(raise[0].file, "memory.memsw.limit_in_bytes");
  auto lower = limits_v1(resources, 1000)["memory"];
  EXPECT_EQ(lower[0].file, "memory.limit_in_bytes");
}

TEST(LimitsV1, Controllers) {
  grpc::LinuxResources resources;
  resources.mutable_cpu()->set_shares(512);
  resources.mutable_cpu()->set_quota(-1);
  resources.mutable_pids()->set_limit(7);
  resources.mutable_network()->set_classid(0x100001);
  auto writes = limits_v1(resources, 0);
  EXPECT_EQ(writes["cpu"], (Writes{{"cpu.shares", "512"}, {"cpu.cfs_quota_us", "-1"}}));
  EXPECT_EQ(writes["pids"], (Writes{{"pids.max", "7"}}));
  EXPECT_EQ(writes["net_cls"], (Writes{{"net_cls.classid", "1048577"}}));
}

}  // namespace
}  // namespace kata::agent
