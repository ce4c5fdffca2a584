#include "runtime/hooks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/command.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"

namespace kata::runtime {

namespace {

constexpr size_t kOutputTail = 2048;
// A hook that takes longer is worth a line in the log: the create waits for it.
constexpr auto kLong = 10s;

// A file in memory instead of a pipe: a hook that does not read its input blocks nobody.
Result<UniqueFd> input_of(const std::string& text) {
  UniqueFd fd(memfd_create("hook state", MFD_CLOEXEC));
  if (!fd) return fail_errno("memory for the state");
  TRY_STATUS(write_all(fd.get(), text));
  if (lseek(fd.get(), 0, SEEK_SET) < 0) return fail_errno("memory for the state");
  return fd;
}

SpawnOptions spawn_options(const grpc::Hook& hook, const std::string& bundle, int input) {
  SpawnOptions options;
  options.program = hook.path();
  options.argv = {hook.args().begin(), hook.args().end()};
  if (options.argv.empty()) options.argv = {hook.path()};
  options.env = std::vector<std::string>(hook.env().begin(), hook.env().end());
  options.fds = {{input, STDIN_FILENO}};
  options.cwd = bundle;
  options.die_with_parent = true;
  return options;
}

// Its own timeout, or what is left until the end of all hooks.
std::optional<Clock::duration> time_for(const grpc::Hook& hook,
                                        std::optional<Clock::time_point> end) {
  std::optional<Clock::duration> time;
  // More than a day is as good as none, and no overflow.
  if (hook.timeout() > 0) time = std::chrono::seconds(std::min<int64_t>(hook.timeout(), 86400));
  if (!end) return time;
  const Clock::duration left = *end - Clock::now();
  return time ? std::min(*time, left) : left;
}

Task<Status> run_hook(const grpc::Hook& hook, const std::string& bundle, const std::string& state,
                      std::optional<Clock::time_point> end) {
  if (!hook.path().starts_with('/')) {
    co_return fail(Code::kInvalidArgument, "the path is not absolute");
  }
  CO_TRY(UniqueFd input, input_of(state));
  const CommandLimits limits{time_for(hook, end), kOutputTail};
  if (limits.time && *limits.time <= Clock::duration::zero()) {
    co_return fail(Code::kDeadlineExceeded, "no time was left to run it");
  }
  auto executor = co_await asio::this_coro::executor;
  Deadline slow(executor, kLong, [&hook] {
    log::warn("a hook takes long", {{"hook", hook.path()}});
  });
  auto options = spawn_options(hook, bundle, input.get());
  CO_TRY(CommandResult result, co_await run_command(std::move(options), limits));
  result.output.resize(result.output.find_last_not_of('\n') + 1);
  const std::string output = printable(result.output);
  if (result.timed_out) {
    co_return fail(Code::kDeadlineExceeded, "ran out of its time, output: " + output);
  }
  if (result.status.code == 0) co_return Status{};
  co_return fail(Code::kFailedPrecondition, result.status.describe() + ", output: " + output);
}

std::string title(const HookRun& run, int index, const grpc::Hook& hook) {
  return "run " + run.kind + " hook " + std::to_string(index) + " (" + printable(hook.path()) + ")";
}

}  // namespace

HookState::HookState(const grpc::Spec& spec, std::string container_id, std::string bundle_path,
                     pid_t vmm)
    : version(spec.version()),
      id(std::move(container_id)),
      bundle(std::move(bundle_path)),
      pid(vmm),
      annotations(spec.annotations().begin(), spec.annotations().end()) {}

std::string HookState::to_json(const std::string& status) const {
  nlohmann::ordered_json json = {{"ociVersion", version}, {"id", id}, {"status", status}};
  if (pid > 0) json["pid"] = pid;
  json["bundle"] = bundle;
  if (!annotations.empty()) json["annotations"] = annotations;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Task<Status> run_hooks(HookList hooks, HookState state, HookRun run) {
  const std::string json = state.to_json(run.status);
  for (int i = 0; i < hooks.size(); ++i) {
    auto done = co_await run_hook(hooks[i], state.bundle, json, run.end);
    if (!done) co_return in_step(title(run, i, hooks[i]), std::move(done));
  }
  co_return Status{};
}

Task<> run_hooks_to_the_end(HookList hooks, HookState state, HookRun run) {
  const std::string json = state.to_json(run.status);
  for (int i = 0; i < hooks.size(); ++i) {
    auto done = co_await run_hook(hooks[i], state.bundle, json, run.end);
    if (!done) {
      log::warn("a hook failed", {{"hook", title(run, i, hooks[i])},
                                  {"container", state.id},
                                  {"error", done.error().message()}});
    }
  }
}

}  // namespace kata::runtime
