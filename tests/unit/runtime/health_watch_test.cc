#include "runtime/health_watch.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/fake_agent.h"
#include "runtime/vmm_activity.h"
#include "support/private_mounts.h"

namespace kata::runtime {
namespace {

class HealthWatchTest : public FakeAgentTest {
 protected:
  HealthWatchTest() {
    log::set_sink([this](log::Level, std::string_view message, const log::Fields& fields) {
      lines_.emplace_back(message);
      for (const auto& [key, value] : fields) lines_.back() += " " + value;
    });
    server_.handle_raw("grpc.Health", "Check", [this](ttrpc::CallContext, std::string) {
      ++questions_;
      return answer_when_awake(this);
    });
  }
  ~HealthWatchTest() override { log::set_sink({}); }

  // Runs the watch for a while; what happens meanwhile is in `script`.
  void watch(HealthWatch::Options options, Task<> script) {
    if (!options.activity) options.activity = [this] { return activity_; };
    if (!options.give_up) {
      options.give_up = [this](const std::string& reason) { gave_up_.push_back(reason); };
    }
    watch_ = std::make_unique<HealthWatch>(std::move(options));
    spawn(loop_.get_executor(), watch_->run(nullptr, *agent_));
    spawn(loop_.get_executor(), until_over(this, std::move(script)));
    loop_.run_for(std::chrono::seconds(60));
  }
  size_t count(std::string_view beginning) const {
    return static_cast<size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.starts_with(beginning); }));
  }

  std::unique_ptr<HealthWatch> watch_;
  std::vector<std::string> lines_, gave_up_;
  int questions_ = 0;
  bool asleep_ = false;
  double activity_ = 0;

 private:
  static Task<Result<std::string>> answer_when_awake(HealthWatchTest* test) {
    while (test->asleep_) co_await sleep_for(20ms);
    grpc::HealthCheckResponse response;
    response.set_status(grpc::HealthCheckResponse::SERVING);
    co_return response.SerializeAsString();
  }
  static Task<> until_over(HealthWatchTest* test, Task<> script) {
    co_await std::move(script);
    test->agent_->close();
    co_await sleep_for(50ms);  // the watch sees it
    test->loop_.stop();
  }
};

Task<> fall_asleep_after(bool* asleep, Clock::duration awake, Clock::duration then) {
  co_await sleep_for(awake);
  *asleep = true;
  co_await sleep_for(then);
}

Task<> nap(bool* asleep, Clock::duration time) {
  *asleep = true;
  co_await sleep_for(time);
  *asleep = false;
  co_await sleep_for(500ms);
}

TEST_F(HealthWatchTest, SilenceIsReportedWithinTwoSeconds) {
  // Asleep right after an answer: the worst moment. A little over 2 s for a loaded machine.
  watch({}, fall_asleep_after(&asleep_, 1200ms, 2300ms));
  EXPECT_GE(count("the guest does not answer"), 1u);
  EXPECT_TRUE(watch_->silence());
  EXPECT_TRUE(gave_up_.empty());
  // One question at a time.
  EXPECT_LE(questions_, 3);
}

TEST_F(HealthWatchTest, ALateAnswerEndsTheSilence) {
  watch({}, nap(&asleep_, 3s));
  EXPECT_GE(count("the guest does not answer"), 1u);
  EXPECT_EQ(count("the guest answers again"), 1u);
  EXPECT_FALSE(watch_->silence());
  EXPECT_FALSE(watch_->hangs());
}

TEST_F(HealthWatchTest, ABusyGuestNeverHangsAndIsNeverGivenUp) {
  activity_ = 1.0;
  HealthWatch::Options options;
  options.limit = 1s;
  watch(std::move(options), fall_asleep_after(&asleep_, 0s, 8s));
  EXPECT_GE(count("the guest does not answer"), 2u);
  EXPECT_FALSE(watch_->hangs());
  EXPECT_TRUE(gave_up_.empty());
  EXPECT_NE(lines_[0].find("busy"), std::string::npos) << lines_[0];
}

TEST_F(HealthWatchTest, AnIdleSilentGuestHangs) {
  watch({}, fall_asleep_after(&asleep_, 0s, 8s));
  EXPECT_TRUE(watch_->hangs());
  EXPECT_TRUE(gave_up_.empty()) << "the default only warns";
}

Task<> look_twice(bool* asleep, std::unique_ptr<HealthWatch>* watch, std::vector<bool>* hangs) {
  co_await sleep_for(4s);
  *asleep = true;
  for (int look = 0; look < 2; ++look) {
    co_await sleep_for(3500ms);
    hangs->push_back((*watch)->silence() && (*watch)->hangs());
  }
}

TEST_F(HealthWatchTest, IdlenessBeforeTheQuestionIsNoSign) {
  std::vector<bool> hangs;
  watch({}, look_twice(&asleep_, &watch_, &hangs));
  EXPECT_EQ(hangs, (std::vector<bool>{false, true}));
}

TEST_F(HealthWatchTest, TheLimitEndsAnIdleSilentGuestOnce) {
  HealthWatch::Options options;
  options.limit = 2s;
  watch(std::move(options), fall_asleep_after(&asleep_, 0s, 9s));
  ASSERT_EQ(gave_up_.size(), 1u);
  EXPECT_TRUE(gave_up_[0].starts_with("the guest did not answer for ")) << gave_up_[0];
}

Process spinner() {
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", "while :; do :; done"};
  options.die_with_parent = true;
  auto process = Process::spawn(options);
  EXPECT_TRUE(process) << process.error().message();
  return std::move(*process);
}

TEST(VmmActivityTest, TellsARunningFromAStoppedProcess) {
  if (!cpu_demand(getpid())) GTEST_SKIP() << "this kernel has no schedstat";
  Process process = spinner();
  // The kernel counts at its ticks: what has just begun has no time yet.
  for (int i = 0; i < 600 && !cpu_demand(process.pid()); ++i) usleep(10'000);
  VmmActivity activity(process.pid());
  EXPECT_EQ(activity.sample(), 0);
  usleep(300'000);
  // On a loaded host it waits for most of the time, which counts too.
  EXPECT_GT(activity.sample(), 0.3);
  ASSERT_TRUE(process.kill(SIGSTOP));
  usleep(100'000);
  activity.sample();
  usleep(300'000);
  EXPECT_LT(activity.sample(), 0.05);
  ASSERT_TRUE(process.kill(SIGKILL));
  ASSERT_TRUE(process.wait_blocking());
}

TEST(VmmActivityTest, TimeThatEveryKernelCounts) {
  Process process = spinner();
  for (int i = 0; i < 600 && cpu_time(process.pid()) < 50'000'000; ++i) usleep(100'000);
  EXPECT_GE(cpu_time(process.pid()), 50'000'000u);
  ASSERT_TRUE(process.kill(SIGKILL));
  ASSERT_TRUE(process.wait_blocking());
  EXPECT_EQ(cpu_time(process.pid()), 0u);
  EXPECT_FALSE(cpu_demand(process.pid()));
}

// A /proc of our own, as on kernels of every kind.
class FakeProcTest : public ::testing::Test {
 protected:
  void set(const std::string& file, const std::string& text) {
    const std::string path = proc_ + "/7/" + file;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(write_file(path, text));
  }
  ~FakeProcTest() override { std::filesystem::remove_all(proc_); }
  std::string proc_ = test::temp_dir();
};

TEST_F(FakeProcTest, DemandIsTimeOnTheCpuAndInTheQueueOfAllThreads) {
  set("task/7/schedstat", "1000 200 3\n");
  set("task/8/schedstat", "10 2 3\n");
  EXPECT_EQ(cpu_demand(7, proc_), 1212u);
  VmmActivity activity(7, proc_);
  EXPECT_EQ(activity.sample(), 0);
  EXPECT_EQ(activity.sample(), 0) << "nothing more";
  set("task/7/schedstat", "1000 3600000000200 3\n");
  EXPECT_GT(activity.sample(), 1);
}

TEST_F(FakeProcTest, WithoutSchedstatAVmmIsNeverIdle) {
  set("stat", "7 (a) b) S 1 7 7 0 -1 4194560 111 0 0 0 250 50 9 9 20 0 1 0 5 0 0\n");
  std::filesystem::create_directories(proc_ + "/7/task/7");
  EXPECT_FALSE(cpu_demand(7, proc_));
  VmmActivity activity(7, proc_);
  EXPECT_EQ(activity.sample(), 1);
  EXPECT_EQ(activity.sample(), 1);
  EXPECT_EQ(cpu_time(7, proc_), 300u * (1'000'000'000u / sysconf(_SC_CLK_TCK)));
  set("task/7/schedstat", "0 0 0\n");  // a kernel that has the file and does not count
  EXPECT_FALSE(cpu_demand(7, proc_));
  EXPECT_EQ(activity.sample(), 1);
}

}  // namespace
}  // namespace kata::runtime
