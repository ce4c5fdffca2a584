// The child side of the launcher: "kata-agent init", "hooks" and "pause".
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>

#include "agent/container/channel.h"
#include "agent/container/child_steps.h"
#include "agent/container/emulation.h"
#include "agent/container/hooks.h"
#include "agent/container/launch_config.h"
#include "agent/container/launcher.h"
#include "agent/container/pause_process.h"

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
  if (argc != 2) return false;
  for (const char* mode : {"init", "hooks", kPauseMode}) {
    if (strcmp(argv[1], mode) == 0) return true;
  }
  return false;
}

int container_init_main(int, char** argv) {
  if (!is_channel(kChannelFd)) {
    dprintf(STDERR_FILENO, "this mode is private to the agent\n");
    return 2;
  }
  const bool is_pause = strcmp(argv[1], kPauseMode) == 0;
  if (Status status = is_pause ? run_pause() : run(); !status) {
    send_error(kChannelFd, status.error());
    return kNotStarted;
  }
  return 0;
}

}  // namespace kata::agent
