#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "agent/container/capabilities.h"
#include "agent/container/channel.h"
#include "agent/container/child_steps.h"
#include "agent/container/console.h"
#include "agent/container/credentials.h"
#include "agent/container/environment.h"
#include "agent/container/hooks.h"
#include "agent/container/limits.h"
#include "agent/container/session.h"
#include "agent/container/words.h"
#include "agent/seccomp/filter.h"

namespace kata::agent {
namespace {

// Exit status when the kernel refuses the program after start, as other runtimes have it.
constexpr int kRefused = 1;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// cwd as root first: a folder closed to the user is allowed; else as the user, because root may be
// the one without access (a network file system).
Status become_user_in_cwd(const grpc::Process& process, const CapabilitySets& sets) {
  Status entered = enter_cwd(process);
  bool retry =
      !entered && (entered.error().sys_errno() == EACCES || entered.error().sys_errno() == EPERM);
  if (!entered && !retry) return entered;
  TRY_STATUS(become_user(process, sets));
  return retry ? enter_cwd(process) : Status();
}

Status start_hooks(const LaunchConfig& config) {
  if (config.mode != LaunchConfig::Mode::kInit) return {};
  HookState state{config.id, config.bundle, "created", getpid(), &config.spec};
  return in_step("startContainer hooks",
                 run_hooks(config.spec.hooks().startcontainer(), state.to_json()));
}

// The filter goes on as late as can be, so that it need not allow our own calls: last of all with
// no_new_privs, else while CAP_SYS_ADMIN is still there.
Status confine(const grpc::Process& process, const CapabilitySets& sets,
               const SeccompFilter* filter) {
  if (process.nonewprivileges()) TRY_STATUS(finish_capabilities(sets));
  if (filter) TRY_STATUS(filter->load());
  return process.nonewprivileges() ? Status() : finish_capabilities(sets);
}

[[noreturn]] void execute(const std::string& program, const grpc::Process& process,
                          const std::vector<std::string>& environment) {
  std::vector<std::string> words(process.args().begin(), process.args().end());
  std::vector<char*> argv = pointers(words);
  std::vector<char*> env = pointers(environment);
  execve(program.c_str(), argv.data(), env.data());
  std::string text = "exec " + program + ": " + errno_text(errno) + '\n';
  // The container's own stderr is where users look; when it is gone, the status has to do.
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
  _exit(kRefused);
}

}  // namespace

Status run_program(const LaunchConfig& config, const Console& console) {
  const grpc::Process& process = config.spec.process();
  if (console.slave) TRY_STATUS(use_console(console));
  // Compiled while every system call is allowed.
  std::optional<SeccompFilter> filter;
  if (config.spec.linux().has_seccomp()) {
    TRY(filter, SeccompFilter::compile(config.spec.linux().seccomp()));
  }
  CapabilitySets sets = parse_capabilities(process.capabilities());
  TRY_STATUS(become_user_in_cwd(process, sets));
  std::vector<std::string> environment = make_environment(process);
  TRY(std::string program, find_program(process.args(0), environment));
  if (process.nonewprivileges() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    return fail_errno("set no_new_privs");
  }
  TRY_STATUS(set_own_rlimits(process));
  TRY_STATUS(send_message(kChannelFd, ChannelMessage::Kind::kReady, console.master.get()));
  TRY_STATUS(wait_for(ChannelMessage::Kind::kStart));

  TRY_STATUS(start_hooks(config));
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return fail_errno("close descriptors");
  TRY_STATUS(confine(process, sets, filter ? &*filter : nullptr));
  execute(program, process, environment);
}

}  // namespace kata::agent
