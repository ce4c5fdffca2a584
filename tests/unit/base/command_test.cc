#include "base/command.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "base/deadline.h"

namespace kata {
namespace {

Task<> keep(Task<Result<CommandResult>> task, std::optional<Result<CommandResult>>* out) {
  out->emplace(co_await std::move(task));
}

Result<CommandResult> run(const std::string& script, CommandLimits limits = {}) {
  SpawnOptions options;
  options.program = "/bin/sh";
  options.argv = {"another-name", "-c", script};
  options.env = {"A=1"};
  asio::io_context loop(1);
  std::optional<Result<CommandResult>> result;
  spawn(loop.get_executor(), keep(run_command(std::move(options), limits), &result));
  loop.run();
  return std::move(*result);
}

TEST(Command, KeepsBothStreamsAndTheStatus) {
  auto result = run("echo out; echo err >&2; echo $0 $A $#; exit 3");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->status.code, 3);
  EXPECT_EQ(result->output, "out\nerr\nanother-name 1 0\n");
  EXPECT_FALSE(result->timed_out);
}

TEST(Command, KeepsTheEndOfAFlood) {
  CommandLimits limits;
  limits.output = 100;
  auto result = run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done", limits);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output.size(), 100u);
  EXPECT_TRUE(result->output.ends_with("line 19999\n")) << result->output;
}

TEST(Command, TimeKillsTheWholeGroup) {
  CommandLimits limits;
  limits.time = 200ms;
  const auto begin = Clock::now();
  auto result = run("echo began; sleep 1000 & sleep 1000", limits);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->status.signal, SIGKILL);
  EXPECT_EQ(result->output, "began\n");
  EXPECT_LT(Clock::now() - begin, 60s);
}

TEST(Command, TimeKillsAlsoWhoLeftTheGroup) {
  CommandLimits limits;
  limits.time = 200ms;
  const auto begin = Clock::now();
  auto result = run("exec perl -e 'setpgrp(0, getpgrp(getppid())) or die; sleep 1000'", limits);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out) << result->output;
  EXPECT_LT(Clock::now() - begin, 60s);
}

// What it leaves in the background holds the pipe open, and holds up nobody.
TEST(Command, DoesNotWaitForDaemonsOfTheProgram) {
  const auto begin = Clock::now();
  auto result = run("sleep 100 & echo $!");
  ASSERT_TRUE(result);
  EXPECT_LT(Clock::now() - begin, 60s);
  const auto daemon = static_cast<pid_t>(std::stol(result->output));
  EXPECT_EQ(kill(daemon, SIGKILL), 0);
}

// Neither the program nor what it leaves behind can hold up the loop by writing without an end.
TEST(Command, AnEndlessWriterIsLeftBehind) {
  auto result = run("yes & sleep 0.2; exit 0");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status.code, 0);
  EXPECT_FALSE(result->output.empty());
}

TEST(Command, AnEndlessWriterRunsOutOfTime) {
  CommandLimits limits;
  limits.time = 200ms;
  auto result = run("yes", limits);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
  EXPECT_LE(result->output.size(), limits.output);
}

TEST(Command, MissingProgramIsNamed) {
  SpawnOptions options;
  options.program = "/no/such/program";
  options.argv = {"x"};
  asio::io_context loop(1);
  std::optional<Result<CommandResult>> result;
  spawn(loop.get_executor(), keep(run_command(std::move(options), {}), &result));
  loop.run();
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().message(), "start /no/such/program: No such file or directory");
}

// The case that a plain timer gets wrong: its handler is queued already when the frame goes.
TEST(Deadline, ALateHandlerDoesNothing) {
  asio::io_context loop(1);
  int acted = 0;
  {
    auto local = std::make_unique<int>(7);
    Deadline deadline(loop.get_executor(), 0s, [&acted, &local] { acted = *local; });
    std::this_thread::sleep_for(1ms);  // expired, but the loop has not looked yet
  }
  loop.run();
  EXPECT_EQ(acted, 0);
}

TEST(Deadline, ActsOnceWhenTheTimeIsUp) {
  asio::io_context loop(1);
  int acted = 0;
  Deadline deadline(loop.get_executor(), 1ms, [&acted] { ++acted; });
  EXPECT_FALSE(deadline.expired());
  loop.run();
  EXPECT_EQ(acted, 1);
  EXPECT_TRUE(deadline.expired());
}

}  // namespace
}  // namespace kata
