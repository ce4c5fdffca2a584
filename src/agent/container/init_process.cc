#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include "agent/container/channel.h"
#include "agent/container/child_steps.h"
#include "agent/container/console.h"
#include "agent/container/devices.h"
#include "agent/container/entry.h"
#include "agent/container/hooks.h"
#include "agent/container/masked_paths.h"
#include "agent/container/mounts.h"
#include "agent/container/namespaces.h"
#include "agent/container/rootfs.h"
#include "agent/container/session.h"
#include "agent/container/sysctls.h"
#include "agent/container/words.h"
#include "agent/view/mount_views.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

Status set_names(const LaunchConfig& config) {
  if (!config.has_own(CLONE_NEWUTS)) return {};
  const std::string& host = config.spec.hostname();
  if (!host.empty() && sethostname(host.data(), host.size()) < 0) return fail_errno("sethostname");
  const std::string& domain = config.spec.domainname();
  if (!domain.empty() && setdomainname(domain.data(), domain.size()) < 0) {
    return fail_errno("setdomainname");
  }
  return {};
}

Status loopback_up(const LaunchConfig& config) {
  if (!config.has_own(CLONE_NEWNET)) return {};
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("open socket for loopback");
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0) return fail_errno("bring loopback up");
  return {};
}

// runtime-spec: cwd need not exist in the image.
Status make_cwd(const RootfsContext& context) {
  std::string cwd = clean_path(context.spec().process().cwd());
  if (auto there = beneath::open_in_root(context.root.get(), cwd, O_PATH | O_DIRECTORY)) return {};
  auto made = beneath::make_dirs(context.root.get(), cwd, 0755, true);
  if (made) return {};
  int number = made.error().sys_errno();
  return std::unexpected(
      Error(made.error().code(), "mkdir " + cwd + ": " + errno_text(number), number));
}

// The agent's hooks see finished mounts; createContainer hooks run here, in the new namespaces but
// with the agent's file system.
Status hooks_before_entry(const LaunchConfig& config) {
  TRY_STATUS(send_message(kChannelFd, ChannelMessage::Kind::kHooks));
  TRY_STATUS(wait_for(ChannelMessage::Kind::kGo));
  if (config.spec.hooks().createcontainer().empty()) return {};
  // Our pid as the agent sees it: this /proc is still the agent's.
  char self[32] = {};
  if (readlink("/proc/self", self, sizeof self - 1) < 0) return fail_errno("read own pid");
  HookState state{config.id, config.bundle, "creating", atoi(self), &config.spec};
  return in_step("createContainer hooks",
                 run_hooks(config.spec.hooks().createcontainer(), state.to_json()));
}

Status furnish_root(RootfsContext* context, Console* console) {
  TRY_STATUS(mount_all(context));
  TRY_STATUS(in_step("view of its limits", mount_views(context)));
  if (!dev_is_bind(context->spec())) TRY_STATUS(make_devices(context));
  const grpc::Process& process = context->spec().process();
  if (process.terminal()) {
    TRY(*console, open_console(context->root.get(), process.consolesize()));
    if (!dev_is_bind(context->spec())) TRY_STATUS(mount_console(context, *console));
  }
  TRY_STATUS(make_cwd(*context));
  return finish_readonly(context);
}

}  // namespace

Status init_process(const LaunchConfig& config) {
  // The agent puts us into the cgroup meanwhile.
  if (config.enter.empty()) {
    TRY_STATUS(wait_for(ChannelMessage::Kind::kGo));
  } else {
    TRY_STATUS(enter_by_birth(config, config.made & ~kMadeOtherwise));
  }
  TRY_STATUS(new_session(config.id));
  // Only now: the cgroup namespace takes the present cgroup as its root.
  if (config.has_own(CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0) {
    return fail_errno("create cgroup namespace");
  }
  TRY_STATUS(set_names(config));
  TRY_STATUS(loopback_up(config));

  TRY(RootfsContext context, open_rootfs(config));
  Console console;
  TRY_STATUS(furnish_root(&context, &console));
  TRY_STATUS(write_sysctls(config.spec.linux()));
  TRY_STATUS(hooks_before_entry(config));
  TRY_STATUS(make_paths_readonly(&context));
  TRY_STATUS(mask_paths(&context));
  TRY_STATUS(enter_rootfs(&context));
  context.root.reset();
  return run_program(config, console);
}

}  // namespace kata::agent
