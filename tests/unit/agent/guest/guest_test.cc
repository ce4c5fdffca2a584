// CPU and memory switches on a made-up sysfs, metrics text, UTF-8 repair.
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/guest/cpu_memory.h"
#include "agent/guest/metrics.h"
#include "agent/rpc/harness.h"
#include "base/file.h"
#include "support/temp_folder.h"

namespace kata::agent::test {
namespace {

class Sysfs : public testing::Test {
 protected:
  std::string add(const std::string& kind, const std::string& name, const std::string& state) {
    std::string folder = root_ + "/devices/system/" + kind + "/" + name;
    EXPECT_TRUE(make_dirs(folder));
    EXPECT_TRUE(write_file(folder + "/online", state));
    return folder + "/online";
  }
  const kata::test::TempFolder temp_;
  const std::string root_ = temp_.path();
};

TEST_F(Sysfs, BringsCpusOnlineAndCounts) {
  std::string one = add("cpu", "cpu1", "0\n"), two = add("cpu", "cpu2", "1\n");
  ASSERT_TRUE(make_dirs(root_ + "/devices/system/cpu/cpufreq"));
  asio::io_context loop;
  UeventMonitor uevents(loop.get_executor());
  Status done = fail(Code::kInternal, "not run");
  asio::co_spawn(loop, online_cpus(uevents, root_, 2),
                 [&](std::exception_ptr, Status status) { done = std::move(status); });
  loop.run();
  EXPECT_TRUE(done) << done.error().message();
  EXPECT_EQ(read_file(one).value().substr(0, 1), "1");
}

// Each CPU takes longer than the silence that ends the wait, and together they take several.
TEST_F(Sysfs, SlowCpusAreWaitedForAsLongAsTheyCome) {
  add("cpu", "cpu1", "0\n");
  asio::io_context loop;
  UeventMonitor uevents(loop.get_executor());
  Status done = fail(Code::kInternal, "not run");
  asio::co_spawn(loop, online_cpus(uevents, root_, 3, 400ms),
                 [&](std::exception_ptr, Status status) { done = std::move(status); });
  asio::steady_timer second(loop, 200ms), third(loop, 600ms);
  second.async_wait([&](auto) { add("cpu", "cpu2", "0\n"); });
  third.async_wait([&](auto) { add("cpu", "cpu3", "0\n"); });
  loop.run();
  EXPECT_TRUE(done) << done.error().message();
}

TEST_F(Sysfs, CpusThatStopComingAreCounted) {
  add("cpu", "cpu1", "0\n");
  asio::io_context loop;
  UeventMonitor uevents(loop.get_executor());
  Status done;
  asio::co_spawn(loop, online_cpus(uevents, root_, 2, 50ms),
                 [&](std::exception_ptr, Status status) { done = std::move(status); });
  loop.run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kDeadlineExceeded);
  EXPECT_NE(done.error().message().find("only 1 CPUs"), std::string::npos);
}

TEST_F(Sysfs, MemoryBlocksOnline) {
  std::string block = add("memory", "memory32", "0\n");
  add("memory", "memory33", "1\n");
  ASSERT_TRUE(online_memory(root_));
  EXPECT_EQ(read_file(block).value().substr(0, 1), "1");
}

TEST(Metrics, AreOneFamilyEachWithKnownNames) {
  std::string text = agent_metrics();
  for (const char* name :
       {"kata_agent_scrape_count", "kata_agent_threads", "kata_agent_total_time",
        "kata_agent_total_vm", "kata_agent_total_rss", "kata_agent_proc_stat",
        "kata_agent_proc_status", "kata_guest_load", "kata_guest_tasks", "kata_guest_cpu_time",
        "kata_guest_vm_stat", "kata_guest_netdev_stat", "kata_guest_diskstat", "kata_guest_meminfo",
        "kata_guest_filesystem_bytes", "kata_guest_filesystem_inodes",
        "kata_agent_process_cpu_seconds_total", "kata_agent_io_stat"}) {
    std::string head = std::string("# TYPE ") + name + " ";
    size_t first = text.find(head);
    EXPECT_NE(first, std::string::npos) << name;
    EXPECT_EQ(text.find(head, first + 1), std::string::npos) << name;
  }
  EXPECT_NE(text.find("kata_guest_cpu_time{cpu=\"total\",item=\"user\"} "), std::string::npos);
  EXPECT_NE(text.find("kata_guest_netdev_stat{interface=\"lo\",item=\"recv_bytes\"} "),
            std::string::npos);
}

TEST(Metrics, MemoryHasUpstreamsWords) {
  for (auto [kernel, item] : std::initializer_list<std::pair<const char*, const char*>>{
           {"MemTotal", "mem_total"},
           {"Active(anon)", "active_anon"},
           {"SReclaimable", "s_reclaimable"},
           {"SUnreclaim", "s_unreclaim"},
           {"KReclaimable", "k_reclaimable"},
           {"NFS_Unstable", "nfs_unstable"},
           {"Committed_AS", "committed_as"},
           {"WritebackTmp", "writeback_tmp"},
           {"AnonHugePages", "anon_hugepages"},
           {"ShmemPmdMapped", "shmem_pmd_mapped"},
           {"HugePages_Total", "hugepages_total"},
           {"Hugepagesize", "hugepagesize"},
           {"DirectMap4k", "direct_map_4k"},
           {"DirectMap2M", "direct_map_2M"},
           {"Percpu", "per_cpu"}}) {
    EXPECT_EQ(meminfo_item(kernel), item);
  }
  metrics::Text out;
  add_memory("/proc", &out);
  const std::string text = out.take();
  const std::string total = "kata_guest_meminfo{item=\"mem_total\"} ";
  const size_t at = text.find(total);
  ASSERT_NE(at, std::string::npos);
  const double bytes = std::stod(text.substr(at + total.size()));
  const double expected =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  EXPECT_NEAR(bytes, expected, expected / 100);
}

}  // namespace
}  // namespace kata::agent::test
