// OCI hooks: where they run, what they get, what their failure does.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "agent/container/box.h"
#include "agent/container/hooks.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

void set_hook(grpc::Hook* hook, const std::string& script) {
  hook->set_path("/bin/busybox");
  for (const char* arg : {"busybox", "sh", "-c"}) hook->add_args(arg);
  hook->add_args(script);
  hook->add_env("PATH=/bin");
}

TEST(Hooks, EachKindRunsInItsPlace) {
  REQUIRE_ROOT();
  Box box;
  std::string log = box.rootfs() + "/../log";
  auto* hooks = box.spec.mutable_hooks();
  set_hook(hooks->add_prestart(), "echo prestart $(cat) >> " + log);
  set_hook(hooks->add_createruntime(), "echo createRuntime >> " + log);
  set_hook(hooks->add_createcontainer(), "echo createContainer $(busybox hostname) >> " + log);
  set_hook(hooks->add_startcontainer(), "echo startContainer $(cat) > /tmp/start");
  set_hook(hooks->add_poststart(), "echo poststart >> " + log);
  (*box.spec.mutable_annotations())["key\n"] = "va\"lue";
  Outcome outcome = box.run("cat /tmp/start");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  ASSERT_TRUE(outcome.started) << outcome.started.error().message();
  EXPECT_NE(outcome.out.find(
                "startContainer "
                "{\"ociVersion\":\"1.0.2\",\"id\":\"box\",\"status\":\"created\",\"pid\":1,"),
            std::string::npos)
      << outcome.out;
  std::string text = *read_file(log);
  EXPECT_TRUE(text.starts_with("prestart {")) << text;
  EXPECT_NE(text.find("\"annotations\":{\"key\\u000a\":\"va\\\"lue\"}"), std::string::npos) << text;
  EXPECT_NE(text.find("createRuntime\ncreateContainer box\npoststart\n"), std::string::npos)
      << text;
}

TEST(Hooks, FailureStopsTheCreation) {
  REQUIRE_ROOT();
  Box box;
  set_hook(box.spec.mutable_hooks()->add_prestart(), "echo no good; exit 3");
  Outcome outcome = box.run("true");
  ASSERT_FALSE(outcome.created);
  EXPECT_NE(outcome.created.error().message().find("exit status 3, output: no good"),
            std::string::npos)
      << outcome.created.error().message();
}

TEST(Hooks, FailureOfStartContainerStopsTheStart) {
  REQUIRE_ROOT();
  Box box;
  set_hook(box.spec.mutable_hooks()->add_startcontainer(), "exit 1");
  Outcome outcome = box.run("true");
  EXPECT_TRUE(outcome.created);
  EXPECT_FALSE(outcome.started);
}

TEST(Hooks, GetOnlyStandardStreams) {
  REQUIRE_ROOT();
  Box box;
  std::string log = box.rootfs() + "/../log";
  auto* hooks = box.spec.mutable_hooks();
  set_hook(hooks->add_prestart(), "busybox ls /proc/self/fd > " + log);
  set_hook(hooks->add_createcontainer(), "busybox ls /proc/self/fd >> " + log);
  set_hook(hooks->add_startcontainer(), "ls /proc/self/fd > /tmp/start");
  EXPECT_EQ(box.run("cat /tmp/start").out, "0\n1\n2\n3\n");
  EXPECT_EQ(*read_file(log), "0\n1\n2\n3\n0\n1\n2\n3\n");
}

TEST(Hooks, Timeout) {
  REQUIRE_ROOT();
  Box box;
  grpc::Hook* hook = box.spec.mutable_hooks()->add_createcontainer();
  set_hook(hook, "sleep 30");
  hook->set_timeout(1);
  Outcome outcome = box.run("true");
  ASSERT_FALSE(outcome.created);
  EXPECT_EQ(outcome.created.error().code(), Code::kDeadlineExceeded);
}

TEST(Hooks, PoststopFailureIsOnlyLogged) {
  REQUIRE_ROOT();
  Box box;
  std::string log = box.rootfs() + "/../log";
  set_hook(box.spec.mutable_hooks()->add_poststop(), "cat > " + log + "; exit 1");
  asio::io_context loop(1);
  spawn(loop.get_executor(), run_poststop_hooks(box.spec, "box", "/bundle"));
  loop.run();
  EXPECT_NE(read_file(log)->find("\"status\":\"stopped\""), std::string::npos);
}

// The rest runs hooks of the calling process, which needs no container.
Status run_one(const std::string& script, const std::string& state, int64_t timeout = 0) {
  HookList hooks;
  set_hook(hooks.Add(), script);
  hooks[0].set_timeout(timeout);
  return run_hooks(hooks, state);
}

// More than a pipe holds.
const std::string kLargeState(300'000, 's');

TEST(RunHooks, ALargeStateReachesAHookThatReadsIt) {
  auto read = run_one("test $(busybox wc -c) = 300000", kLargeState);
  EXPECT_TRUE(read) << read.error().message();
}

TEST(RunHooks, AHookNeedNotReadItsInput) {
  auto unread = run_one("exit 0", kLargeState);
  EXPECT_TRUE(unread) << unread.error().message();
  auto closed = run_one("exec 0<&-; sleep 0.1; exit 0", kLargeState);
  EXPECT_TRUE(closed) << closed.error().message();
}

TEST(RunHooks, TheTimeoutHoldsForAHookThatDoesNotRead) {
  auto begin = Clock::now();
  auto late = run_one("sleep 60", kLargeState, 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(Clock::now() - begin, 30s);
}

bool runs(const std::string& pid) {
  auto stat = read_file("/proc/" + pid + "/stat");
  return stat && stat->find(") Z ") == std::string::npos;
}

TEST(RunHooks, AChildThatKeepsThePipesDoesNotHoldUsAndEndsWithATimeout) {
  char name[] = "/tmp/kata-hook-XXXXXX";
  UniqueFd file(mkstemp(name));
  auto begin = Clock::now();
  auto left = run_one("sleep 100 & echo $! > " + std::string(name), "{}");
  EXPECT_TRUE(left) << left.error().message();
  std::string child = read_file(name)->substr(0, read_file(name)->find('\n'));
  EXPECT_TRUE(runs(child)) << "a hook may leave something running";
  kill(std::stoi(child), SIGKILL);
  EXPECT_FALSE(run_one("sleep 100 & echo $! > " + std::string(name) + "; wait", "{}", 1));
  child = read_file(name)->substr(0, read_file(name)->find('\n'));
  for (int i = 0; i < 200 && runs(child); ++i) usleep(10'000);
  EXPECT_FALSE(runs(child));
  EXPECT_LT(Clock::now() - begin, 60s);
  unlink(name);
}

TEST(RunHooks, OutputWithoutEndNeitherHoldsUsNorHidesTheLastWords) {
  auto noisy = run_one("busybox yes & sleep 0.2; kill $!; exit 0", "{}");
  EXPECT_TRUE(noisy) << noisy.error().message();
  auto failed = run_one("busybox dd if=/dev/zero bs=1000 count=100 2>&-; echo last; exit 4", "{}");
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().message().ends_with("last\n"));
}

TEST(RunHooks, ABrokenPipeKillsAsEverywhere) {
  // Bit 12 of the ignored signals is SIGPIPE.
  auto checked = run_one("busybox grep -q '^SigIgn:.*[02468ace]...$' /proc/self/status", "{}");
  EXPECT_TRUE(checked) << checked.error().message();
}

TEST(RunHooks, AMissingProgramIsNamed) {
  HookList hooks;
  hooks.Add()->set_path("/no/such/hook");
  auto missing = run_hooks(hooks, "{}");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("no such file or directory"), std::string::npos)
      << missing.error().message();
}

}  // namespace
}  // namespace kata::agent::test
