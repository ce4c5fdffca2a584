#include "metrics/process.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "metrics/histogram.h"
#include "support/temp_folder.h"

namespace kata::metrics {
namespace {

// A made-up /proc with two processes.
class Proc : public testing::Test {
 protected:
  void SetUp() override {
    add("7", "7 (a) b) c) S 1 7 7 0 -1 4 1 2 3 4 100 50 7 8 20 0 3 0 200 4096000 250 1 1 1");
    add("8", "8 (x) S 1 8 8 0 -1 4 1 2 3 4 1 2 0 0 20 0 1 0 300 8192 2 1 1 1");
  }

  void add(const std::string& pid, const std::string& stat) {
    const std::string folder = root_ + "/" + pid;
    ASSERT_TRUE(make_dirs(folder + "/fd"));
    ASSERT_TRUE(write_file(folder + "/fd/0", ""));
    ASSERT_TRUE(write_file(folder + "/stat", stat));
    ASSERT_TRUE(write_file(folder + "/status",
                           "Name:\tevil\nUid:\t0\t0\nVmRSS:\t    1000 kB\nRssAnon:\t 600 kB\n"
                           "voluntary_ctxt_switches:\t5\nSigPnd:\t0000000000000000\n"));
    ASSERT_TRUE(write_file(folder + "/io", "rchar: 10\nread_bytes: 20\n"));
  }

  const kata::test::TempFolder temp_;
  const std::string root_ = temp_.path();
};

TEST_F(Proc, FiguresOfSeveralProcessesAreSummed) {
  Text out;
  add_process_group("p", {root_ + "/7", root_ + "/8", root_ + "/gone"}, &out);
  const std::string text = out.take();
  for (const char* line : {"p_threads 4\n", "p_fds 2\n", "p_proc_stat{item=\"utime\"} 101\n",
                           "p_proc_stat{item=\"stime\"} 52\n", "p_proc_stat{item=\"cstime\"} 8\n",
                           "p_proc_status{item=\"vmrss\"} 2048000\n",
                           "p_proc_status{item=\"voluntary_ctxt_switches\"} 10\n",
                           "p_io_stat{item=\"readbytes\"} 40\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("uid"), std::string::npos);
  EXPECT_EQ(text.find("sigpnd"), std::string::npos);
}

TEST_F(Proc, TheAgentHasItsOwnUnitsAndWords) {
  Text out;
  add_status("a", {root_ + "/7"}, Unit::kKilobytes, &out);
  add_io("a", {root_ + "/7"}, IoNames::kKernel, &out);
  const std::string text = out.take();
  EXPECT_NE(text.find("a_proc_status{item=\"rssanon\"} 600\n"), std::string::npos) << text;
  EXPECT_NE(text.find("a_io_stat{item=\"read_bytes\"} 20\n"), std::string::npos) << text;
}

TEST(ProcessCollector, IsAboutThisProcess) {
  Text out;
  add_process_collector("x_", "/proc", &out);
  const std::string text = out.take();
  for (const char* name : {"cpu_seconds_total", "open_fds", "max_fds", "virtual_memory_bytes",
                           "resident_memory_bytes", "start_time_seconds"}) {
    EXPECT_NE(text.find(std::string("\nx_process_") + name + " "), std::string::npos) << name;
  }
  const size_t at = text.find("\nx_process_start_time_seconds ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NEAR(std::stod(text.substr(at + 30)), static_cast<double>(time(nullptr)), 600);
}

TEST(Histograms, AreCumulative) {
  using namespace std::chrono_literals;
  Histograms times("t", "Times.", "action", 3);
  Text out;
  times.write(&out);
  EXPECT_EQ(out.size(), 0U);
  times.observe("a", 1ms);  // the bounds belong to their buckets
  times.observe("a", 3ms);
  times.observe("a", 100ms);
  times.write(&out);
  EXPECT_EQ(out.take(),
            "# HELP t Times.\n# TYPE t histogram\n"
            "t_bucket{action=\"a\",le=\"1\"} 1\n"
            "t_bucket{action=\"a\",le=\"2\"} 1\n"
            "t_bucket{action=\"a\",le=\"4\"} 2\n"
            "t_bucket{action=\"a\",le=\"+Inf\"} 3\n"
            "t_sum{action=\"a\"} 104\n"
            "t_count{action=\"a\"} 3\n");
}

}  // namespace
}  // namespace kata::metrics
