// The child side of the launcher: "kata-agent init" and "kata-agent hooks".
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "agent/container/channel.h"
#include "agent/container/child_steps.h"
#include "agent/container/emulation.h"
#include "agent/container/hooks.h"
#include "agent/container/launch_config.h"
#include "agent/container/launcher.h"

namespace kata::agent {
namespace {

// Exit status when no program was reached; the agent has the reason.
constexpr int kNotStarted = 1;

Status hooks_process(const LaunchConfig& config) {
  HookState state{config.id, config.bundle, config.state, config.pid, &config.spec};
  TRY_STATUS(run_hooks(hooks_of(config.spec, config.hook_kind), state.to_json()));
  return send_message(kChannelFd, ChannelMessage::Kind::kReady);
}

Status run() {
  want_random_addresses();
  // Hooks must not get hold of the channel.
  if (fcntl(kChannelFd, F_SETFD, FD_CLOEXEC) < 0) return fail_errno("close channel at exec");
  // From here no process of a shared pid namespace can look into this one.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail_errno("make process unreadable");
  TRY(LaunchConfig config, LaunchConfig::from_fd(kConfigFd));
  close(kConfigFd);
  switch (config.mode) {
    case LaunchConfig::Mode::kInit:
      return init_process(config);
    case LaunchConfig::Mode::kExec:
      return extra_process(config);
    case LaunchConfig::Mode::kHooks:
      return hooks_process(config);
  }
  return fail(Code::kInternal, "unknown launch mode");
}

}  // namespace

bool is_container_init(int argc, char** argv) {
  return argc == 2 && (strcmp(argv[1], "init") == 0 || strcmp(argv[1], "hooks") == 0);
}

int container_init_main(int, char**) {
  int type = 0;
  socklen_t length = sizeof type;
  if (getsockopt(kChannelFd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_SEQPACKET) {
    dprintf(STDERR_FILENO, "this mode is private to the agent\n");
    return 2;
  }
  if (Status status = run(); !status) {
    send_error(kChannelFd, status.error());
    return kNotStarted;
  }
  return 0;
}

}  // namespace kata::agent
