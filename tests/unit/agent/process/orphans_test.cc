#include "agent/process/orphans.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/process/async_mutex.h"
#include "agent/process/run_tool.h"
#include "base/process.h"

namespace kata::agent {
namespace {

TEST(Orphans, AChildNobodyWaitsForIsReaped) {
  asio::io_context loop(1);
  spawn(loop.get_executor(), reap_orphans());
  loop.run_for(10ms);
  pid_t child = fork();
  if (child == 0) _exit(3);
  loop.restart();
  loop.run_for(1s);
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), -1);
}

TEST(Orphans, TheCodeOfAWatchedChildIsNotStolen) {
  asio::io_context loop(1);
  spawn(loop.get_executor(), reap_orphans());
  loop.run_for(10ms);
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", "exit 7"};
  auto process = Process::spawn(options);
  ASSERT_TRUE(process);
  int code = -1;
  asio::co_spawn(loop, process->wait(), [&](std::exception_ptr, Result<ExitStatus> status) {
    code = status ? status->code : -2;
  });
  loop.restart();
  loop.run_for(500ms);
  EXPECT_EQ(code, 7);
}

TEST(RunTool, GivesOutputCodeAndTakesInput) {
  asio::io_context loop(1);
  std::optional<Result<ToolOutput>> result;
  asio::co_spawn(
      loop, run_tool({"/bin/sh", "-c", "cat; echo no >&2; exit 5"}, "input"),
      [&](std::exception_ptr, Result<ToolOutput> output) { result.emplace(std::move(output)); });
  loop.run();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result).code, 5);
  EXPECT_EQ((**result).out, "input");
  EXPECT_EQ((**result).err, "no\n");
}

TEST(RunTool, KillsWhatTakesTooLong) {
  asio::io_context loop(1);
  std::optional<Result<ToolOutput>> result;
  asio::co_spawn(
      loop, run_tool({"/bin/sleep", "100"}, {}, 50ms),
      [&](std::exception_ptr, Result<ToolOutput> output) { result.emplace(std::move(output)); });
  loop.run();
  ASSERT_TRUE(result);
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code(), Code::kDeadlineExceeded);
}

Task<> hold(AsyncMutex& mutex, std::string name, std::string* order) {
  auto turn = co_await mutex.lock();
  *order += name + "(";
  co_await sleep_for(5ms);
  *order += ")";
}

TEST(AsyncMutex, OneAtATimeInOrder) {
  asio::io_context loop(1);
  AsyncMutex mutex;
  std::string order;
  for (const char* name : {"a", "b", "c"}) spawn(loop.get_executor(), hold(mutex, name, &order));
  loop.run();
  EXPECT_EQ(order, "a()b()c()");
}

}  // namespace
}  // namespace kata::agent
