#include "agent/container/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "agent/container/words.h"
#include "base/process.h"
#include "base/unique_fd.h"

namespace kata::agent {
namespace {

// As good as none, and no overflow.
constexpr auto kLongestTimeout = std::chrono::hours(24);
// End of a hook's output that is kept for the failure text.
constexpr size_t kOutputTail = 1024;
// What a pipe holds by default.
constexpr size_t kPipeSize = 64 << 10;

struct Pipe {
  UniqueFd read, write;
};

// A running hook as we see it.
struct RunningHook {
  pid_t pid = -1;
  UniqueFd pidfd, input, output;
};

// Our ends are non-blocking: a hook that reads nothing must not hold us beyond its time.
Result<Pipe> make_pipe(bool we_write) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return fail_errno("create pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  if (fcntl(we_write ? fds[1] : fds[0], F_SETFL, O_NONBLOCK) < 0) return fail_errno("set up pipe");
  return pipe;
}

std::vector<char*> pointers(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become_hook(const grpc::Hook& hook, int in, int out) {
  // Ignored signals stay so over exec; a hook expects the default.
  signal(SIGPIPE, SIG_DFL);
  // A group of its own: what the hook has started ends with it when its time is up.
  setpgid(0, 0);
  std::vector<char*> argv = pointers(hook.args());
  if (hook.args().empty()) argv.insert(argv.begin(), const_cast<char*>(hook.path().c_str()));
  std::vector<char*> env = pointers(hook.env());
  if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0) {
    execve(hook.path().c_str(), argv.data(), env.data());
  }
  dprintf(2, "exec %s: %s", hook.path().c_str(), errno_text(errno).c_str());
  _exit(127);
}

void kill_hook(pid_t pid) {
  // The group may not be there yet.
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
}

int reap_hook(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Result<RunningHook> start_hook(const grpc::Hook& hook) {
  TRY(Pipe in, make_pipe(true));
  TRY(Pipe out, make_pipe(false));
  RunningHook running;
  running.pid = fork();
  if (running.pid < 0) return fail_errno("fork hook");
  if (running.pid == 0) become_hook(hook, in.read.get(), out.write.get());
  auto pidfd = open_pidfd(running.pid);
  if (!pidfd) {
    kill_hook(running.pid);
    reap_hook(running.pid);
    return std::unexpected(std::move(pidfd.error()));
  }
  running.pidfd = std::move(*pidfd);
  running.input = std::move(in.write);
  running.output = std::move(out.read);
  return running;
}

// Gives what the pipe takes now; closes it at the end, or when the hook does not want it.
void feed(UniqueFd* input, std::string_view* rest) {
  ssize_t length = write(input->get(), rest->data(), rest->size());
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length > 0) rest->remove_prefix(static_cast<size_t>(length));
  if (length < 0 || rest->empty()) input->reset();
}

// Takes what the pipe holds now, not more: somebody may write without end. Closes it at its end.
void drain(UniqueFd* output, std::string* tail) {
  char buffer[4096];
  for (size_t taken = 0; taken < kPipeSize; taken += sizeof buffer) {
    ssize_t length = read(output->get(), buffer, sizeof buffer);
    if (length == 0) output->reset();
    if (length <= 0) return;
    tail->append(buffer, static_cast<size_t>(length));
    if (tail->size() > kOutputTail) tail->erase(0, tail->size() - kOutputTail);
  }
}

// Talks to the hook until its process ends; false = its time is up. Children of the hook may keep
// the pipes open: only the process itself is waited for.
bool serve_until_exit(RunningHook* hook, std::string_view state, Clock::time_point limit,
                      std::string* tail) {
  while (true) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - Clock::now()).count();
    if (left <= 0) return false;
    pollfd fds[3] = {{hook->pidfd.get(), POLLIN, 0},
                     {hook->input.get(), POLLOUT, 0},
                     {hook->output.get(), POLLIN, 0}};
    int ready = poll(fds, 3, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (fds[1].revents) feed(&hook->input, &state);
    if (fds[2].revents || (fds[0].revents && hook->output)) drain(&hook->output, tail);
    if (fds[0].revents) return true;
  }
}

Clock::duration timeout_of(const grpc::Hook& hook) {
  constexpr int64_t kMost = std::chrono::seconds(kLongestTimeout).count();
  if (hook.timeout() <= 0 || hook.timeout() >= kMost) return kLongestTimeout;
  return std::chrono::seconds(hook.timeout());
}

Status run_hook(const grpc::Hook& hook, const std::string& state_json) {
  if (!hook.path().starts_with('/')) {
    return fail(Code::kInvalidArgument, "hook path \"" + hook.path() + "\" is not absolute");
  }
  TRY(RunningHook running, start_hook(hook));
  std::string tail;
  bool ended = serve_until_exit(&running, state_json, Clock::now() + timeout_of(hook), &tail);
  if (!ended) kill_hook(running.pid);
  int status = reap_hook(running.pid);
  if (!ended) return fail(Code::kDeadlineExceeded, "hook " + hook.path() + " ran out of its time");
  if (status == 0) return {};
  std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                        : "exit status " + std::to_string(WEXITSTATUS(status));
  return fail(Code::kFailedPrecondition,
              "error running hook " + hook.path() + ": " + how + ", output: " + tail);
}

void put_json(std::string* out, std::string_view text) {
  *out += '"';
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += static_cast<char>(c);
    } else if (c < 0x20) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\u%04x", c);
      *out += escaped;
    } else {
      *out += static_cast<char>(c);
    }
  }
  *out += '"';
}

}  // namespace

std::string HookState::to_json() const {
  std::string out = "{\"ociVersion\":";
  put_json(&out, spec->version());
  out += ",\"id\":";
  put_json(&out, id);
  out += ",\"status\":";
  put_json(&out, status);
  out += ",\"pid\":" + std::to_string(pid) + ",\"bundle\":";
  put_json(&out, bundle);
  if (!spec->annotations().empty()) {
    out += ",\"annotations\":";
    char separator = '{';
    for (const auto& [key, value] : spec->annotations()) {
      out += separator;
      put_json(&out, key);
      out += ':';
      put_json(&out, value);
      separator = ',';
    }
    out += '}';
  }
  return out + '}';
}

Status run_hooks(const HookList& hooks, const std::string& state_json) {
  if (hooks.empty()) return {};
  // A hook need not read its input.
  auto before = signal(SIGPIPE, SIG_IGN);
  Status result;
  for (const grpc::Hook& hook : hooks) {
    result = run_hook(hook, state_json);
    if (!result) break;
  }
  signal(SIGPIPE, before);
  return result;
}

const HookList& hooks_of(const grpc::Spec& spec, std::string_view kind) {
  const grpc::Hooks& hooks = spec.hooks();
  if (kind == "prestart") return hooks.prestart();
  if (kind == "createRuntime") return hooks.createruntime();
  if (kind == "createContainer") return hooks.createcontainer();
  if (kind == "startContainer") return hooks.startcontainer();
  if (kind == "poststart") return hooks.poststart();
  if (kind == "poststop") return hooks.poststop();
  static const HookList kNone;
  return kNone;
}

}  // namespace kata::agent
