#include "runtime/hooks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "runtime/poststop.h"
#include "support/private_mounts.h"

namespace kata::runtime {
namespace {

using test::slurp;

class HooksTest : public ::testing::Test {
 protected:
  HooksTest() {
    spec_.set_version("1.1.0");
    (*spec_.mutable_annotations())["key"] = "va\"lue";
  }
  ~HooksTest() override { std::filesystem::remove_all(dir_); }

  // A hook that runs a shell script; $0 is the first argument of the hook.
  static grpc::Hook shell(const std::string& script, int64_t timeout = 0) {
    grpc::Hook hook;
    hook.set_path("/bin/sh");
    for (const std::string& word : {std::string("the-hook"), std::string("-c"), script}) {
      hook.add_args(word);
    }
    hook.set_timeout(timeout);
    return hook;
  }
  static HookList list(std::vector<grpc::Hook> hooks) { return {hooks.begin(), hooks.end()}; }

  Status run(HookList hooks, std::optional<Clock::duration> limit = {}) {
    std::optional<Status> result;
    asio::io_context loop(1);
    spawn(loop.get_executor(), store(std::move(hooks), state(), limit, &result));
    loop.run();
    return std::move(*result);
  }
  HookState state() { return {spec_, "c1", dir_, 4711}; }

  std::string dir_ = test::temp_dir();
  grpc::Spec spec_;

 private:
  static Task<> store(HookList hooks, HookState state, std::optional<Clock::duration> limit,
                      std::optional<Status>* out) {
    HookRun run{"createRuntime", "creating", {}};
    if (limit) run.end = Clock::now() + *limit;
    out->emplace(co_await run_hooks(std::move(hooks), std::move(state), run));
  }
};

TEST_F(HooksTest, GetTheStateOnTheirInput) {
  auto ran = run(list({shell("cat > state; pwd > where")}));
  ASSERT_TRUE(ran) << ran.error().message();
  EXPECT_EQ(slurp(dir_ + "/state"),
            R"({"ociVersion":"1.1.0","id":"c1","status":"creating","pid":4711,"bundle":")" + dir_ +
                R"(","annotations":{"key":"va\"lue"}})");
  EXPECT_EQ(slurp(dir_ + "/where"), dir_ + "\n");
}

TEST_F(HooksTest, AStateWithoutProcessHasNoPid) {
  auto json = nlohmann::json::parse(HookState({}, "c", "/b", 0).to_json("stopped"));
  EXPECT_FALSE(json.contains("pid"));
  EXPECT_FALSE(json.contains("annotations"));
  EXPECT_EQ(json["status"], "stopped");
}

TEST_F(HooksTest, HaveTheirOwnArgumentsAndEnvironmentOnly) {
  setenv("OF_THE_SHIM", "1", 1);
  auto hook = shell("echo $0 > out; export -p >> out");
  hook.add_env("ONLY=this");
  ASSERT_TRUE(run(list({hook})));
  const std::string out = slurp(dir_ + "/out");
  EXPECT_TRUE(out.starts_with("the-hook\n")) << out;
  EXPECT_NE(out.find("ONLY='this'"), out.npos) << out;
  EXPECT_EQ(out.find("OF_THE_SHIM"), out.npos) << out;
}

TEST_F(HooksTest, RunInOrderUntilOneFails) {
  auto ran = run(
      list({shell("echo 1 >> log"), shell("echo 2 >> log; echo to'\033'ld; echo me >&2; exit 4"),
            shell("echo 3 >> log")}));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().message(),
            "run createRuntime hook 1 (/bin/sh): exit status 4, output: to\\x1bld\nme");
  EXPECT_EQ(slurp(dir_ + "/log"), "1\n2\n");
}

TEST_F(HooksTest, TimeoutOfTheHookAndOfTheCaller) {
  for (int64_t own : {1, 0}) {
    auto ran = run(list({shell("echo waiting; sleep 1000", own)}), 300ms);
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().code(), Code::kDeadlineExceeded);
    EXPECT_NE(ran.error().message().find("output: waiting"), std::string::npos);
  }
  // The caller's limit is that of all hooks together.
  const auto begin = Clock::now();
  EXPECT_FALSE(run(list({shell("sleep 0.01"), shell("sleep 1000", 600), shell("exit 0")}), 500ms));
  EXPECT_LT(Clock::now() - begin, 60s);
  auto late = run(list({shell("echo > ran")}), 0s);
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().message().find("no time was left"), std::string::npos);
  EXPECT_FALSE(path_exists(dir_ + "/ran"));
}

TEST_F(HooksTest, MissingProgramsAndRelativePathsFail) {
  grpc::Hook hook;
  hook.set_path("/no/such/hook");
  EXPECT_EQ(run(list({hook})).error().code(), Code::kNotFound);
  hook.set_path("bin/sh");
  EXPECT_EQ(run(list({hook})).error().code(), Code::kInvalidArgument);
}

TEST_F(HooksTest, AHookThatDoesNotReadABigStateBlocksNobody) {
  (*spec_.mutable_annotations())["big"] = std::string(1 << 20, 'x');
  EXPECT_TRUE(run(list({shell("exit 0")})));
  EXPECT_TRUE(run(list({shell("[ $(wc -c) -gt 1048576 ]")})));
}

TEST_F(HooksTest, TheJournalPaysPoststopHooksOnce) {
  std::filesystem::create_directories(dir_ + "/rootfs");
  const std::string config =
      R"({"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["x"],"cwd":"/"},"linux":{},)"
      R"("hooks":{"poststop":[{"path":"/bin/false"},)"
      R"({"path":"/bin/sh","args":["sh","-c","cat >> log; echo >> log"]}]}})";
  ASSERT_TRUE(write_file(dir_ + "/config.json", config));
  const std::string path = dir_ + "/journal";
  {
    auto journal = Journal::open(path);
    ASSERT_TRUE(journal->add(poststop_entry("c1", dir_)));
  }
  PoststopDebts owed;
  EXPECT_TRUE(undo_sandbox(path, {}, owed));
  EXPECT_FALSE(path_exists(path));
  EXPECT_FALSE(path_exists(dir_ + "/log")) << "they run last";
  pay_poststop(owed, 60s);
  EXPECT_EQ(slurp(dir_ + "/log"),
            R"({"ociVersion":"1.0.2","id":"c1","status":"stopped","bundle":")" + dir_ + "\"}\n");
  PoststopDebts again;
  EXPECT_TRUE(undo_sandbox(path, {}, again));
  EXPECT_TRUE(again.empty());
}

TEST_F(HooksTest, AllPoststopHooksTogetherHaveOneLimit) {
  std::filesystem::create_directories(dir_ + "/rootfs");
  const std::string config =
      R"({"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["x"],"cwd":"/"},"linux":{},)"
      R"("hooks":{"poststop":[{"path":"/bin/sleep","args":["sleep","1000"],"timeout":900}]}})";
  ASSERT_TRUE(write_file(dir_ + "/config.json", config));
  const auto begin = Clock::now();
  pay_poststop({poststop_entry("c1", dir_), poststop_entry("c2", dir_)}, 300ms);
  EXPECT_LT(Clock::now() - begin, 60s);
}

}  // namespace
}  // namespace kata::runtime
