// Statistics from a written-down cgroup v2 directory.
#include <gtest/gtest.h>

#include "agent/cgroup/cgroup_v2.h"
#include "base/file.h"

namespace kata::agent {
namespace {

class StatsV2 : public testing::Test {
 protected:
  StatsV2() {
    char folder[] = "/tmp/kata-cgroup-XXXXXX";
    if (!mkdtemp(folder)) panic("mkdtemp");
    dir_ = CgroupDir(folder);
  }
  ~StatsV2() override { (void)remove_tree(dir_.path()); }
  void put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file(dir_.file(name), text));
  }
  CgroupDir dir_;
};

TEST_F(StatsV2, UserAndSystemTimeAreNotSwapped) {
  put("cpu.stat",
      "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\nthrottled_usec "
      "5\n");
  auto stats = read_stats_v2(dir_);
  const auto& usage = stats.cpu_stats().cpu_usage();
  EXPECT_EQ(usage.total_usage(), 30000U);
  EXPECT_EQ(usage.usage_in_usermode(), 20000U);
  EXPECT_EQ(usage.usage_in_kernelmode(), 10000U);
  EXPECT_EQ(stats.cpu_stats().throttling_data().periods(), 4U);
  EXPECT_EQ(stats.cpu_stats().throttling_data().throttled_periods(), 2U);
  EXPECT_EQ(stats.cpu_stats().throttling_data().throttled_time(), 5000U);
}

TEST_F(StatsV2, Memory) {
  put("memory.current", "4096\n");
  put("memory.max", "max\n");
  put("memory.peak", "8192\n");
  put("memory.stat", "anon 1\nfile 2\nkernel 3\n");
  put("memory.events", "low 0\nmax 9\noom_kill 1\n");
  auto memory = read_stats_v2(dir_).memory_stats();
  EXPECT_EQ(memory.usage().usage(), 4096U);
  EXPECT_EQ(memory.usage().max_usage(), 8192U);
  EXPECT_EQ(memory.usage().limit(), ~uint64_t{0});
  EXPECT_EQ(memory.usage().failcnt(), 9U);
  EXPECT_EQ(memory.cache(), 2U);
  EXPECT_EQ(memory.stats().at("anon"), 1U);
}

TEST_F(StatsV2, PidsIoHugetlb) {
  put("pids.current", "3\n");
  put("pids.max", "max\n");
  put("io.stat", "254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
  put("hugetlb.2MB.current", "2097152\n");
  put("hugetlb.2MB.rsvd.current", "1\n");
  put("hugetlb.2MB.events", "max 5\n");
  auto stats = read_stats_v2(dir_);
  EXPECT_EQ(stats.pids_stats().current(), 3U);
  EXPECT_EQ(stats.pids_stats().limit(), 0U);
  ASSERT_EQ(stats.blkio_stats().io_service_bytes_recursive_size(), 6);
  const auto& entry = stats.blkio_stats().io_service_bytes_recursive(1);
  EXPECT_EQ(entry.major(), 254U);
  EXPECT_EQ(entry.op(), "write");
  EXPECT_EQ(entry.value(), 20U);
  ASSERT_EQ(stats.hugetlb_stats_size(), 1);
  EXPECT_EQ(stats.hugetlb_stats().at("2MB").usage(), 2097152U);
  EXPECT_EQ(stats.hugetlb_stats().at("2MB").failcnt(), 5U);
}

TEST_F(StatsV2, EmptyDirectoryIsAllZero) {
  auto stats = read_stats_v2(dir_);
  EXPECT_EQ(stats.cpu_stats().cpu_usage().total_usage(), 0U);
  EXPECT_EQ(stats.pids_stats().current(), 0U);
}

TEST_F(StatsV2, Pressure) {
  put("memory.pressure",
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.10 "
      "total=7\n");
  put("cpu.pressure", "some avg10=3.00\nnonsense\nfull total=\n");
  auto stats = read_stats_v2(dir_);
  EXPECT_EQ(stats.memory_pressure().some().avg10(), 1.5);
  EXPECT_EQ(stats.memory_pressure().some().avg60(), 0.25);
  EXPECT_EQ(stats.memory_pressure().some().total(), 1234U);
  EXPECT_EQ(stats.memory_pressure().full().avg300(), 0.1);
  EXPECT_EQ(stats.cpu_pressure().some().avg10(), 3);
  EXPECT_EQ(stats.cpu_pressure().full().total(), 0U);
  EXPECT_FALSE(stats.has_io_pressure());
}

}  // namespace
}  // namespace kata::agent
