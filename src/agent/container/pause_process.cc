#include "agent/container/pause_process.h"

#include <grp.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "agent/container/agent_side.h"
#include "agent/container/capabilities.h"
#include "agent/container/channel.h"
#include "agent/container/emulation.h"
#include "agent/container/entry.h"
#include "agent/container/launch_config.h"
#include "agent/container/namespaces.h"

namespace kata::agent {
namespace {

constexpr unsigned kNobody = 65534;
constexpr int kOwnNamespaces = CLONE_NEWPID | CLONE_NEWNS;

Result<UniqueFd> pid_namespace_of(const Child& child) {
  TRY(std::vector<NamespaceFd> all, pin_namespaces(child.pid));
  for (NamespaceFd& entry : all) {
    if (entry.type == CLONE_NEWPID) return std::move(entry.fd);
  }
  return fail(Code::kInternal, "the pause process has no pid namespace of its own");
}

// /proc/1/root of a pod must not lead to the guest's files.
Status enter_empty_root() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return fail_errno("make mounts private");
  }
  constexpr unsigned long kFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("pause", "/run", "tmpfs", kFlags, "size=4k,nr_inodes=1") < 0) {
    return fail_errno("mount an empty root");
  }
  // Moved and not pivoted: an initramfs cannot be left the other way.
  if (chdir("/run") < 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 || chroot(".") < 0 ||
      chdir("/") < 0) {
    return fail_errno("enter an empty root");
  }
  return {};
}

// A user namespace may be too small to have a nobody; its root without rights is as good.
Status become_nobody(bool inside) {
  if (setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
      setresuid(kNobody, kNobody, kNobody) == 0) {
    return {};
  }
  if (inside && errno == EINVAL) return {};
  return fail_errno("become nobody");
}

Status shed_rights(bool inside) {
  const CapabilitySets none;
  TRY_STATUS(apply_bounding_set(none));
  TRY_STATUS(become_nobody(inside));
  TRY_STATUS(apply_capabilities(none, 0));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail_errno("set no_new_privs");
  // A change of user resets both.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail_errno("make process unreadable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return fail_errno("end with the agent");
  return {};
}

// The agent hands a user namespace over when it is to be entered.
bool has_user_namespace() {
  return ioctl(kFirstNamespaceFd, NS_GET_NSTYPE) == CLONE_NEWUSER;
}

Status settle() {
  want_random_addresses();
  const bool inside = has_user_namespace();
  if (inside) {
    LaunchConfig config;
    config.enter = {CLONE_NEWUSER};
    TRY_STATUS(enter_by_birth(config, kOwnNamespaces));
  }
  // Ended children vanish without being waited for.
  signal(SIGCHLD, SIG_IGN);
  TRY_STATUS(enter_empty_root());
  TRY_STATUS(shed_rights(inside));
  return send_message(kChannelFd, ChannelMessage::Kind::kReady);
}

}  // namespace

Task<Result<PauseProcess>> PauseProcess::start(int user_namespace) {
  CO_TRY(auto channel, make_channel());
  const bool inside = user_namespace >= 0;
  ChildPlan plan;
  plan.clone_flags = inside ? 0 : kOwnNamespaces;
  plan.channel = channel.second.get();
  plan.mode = kPauseMode;
  if (inside) plan.extra.push_back(user_namespace);
  RunningLaunch launch;
  CO_TRY(launch.child, spawn_child(plan));
  launch.channel = std::move(channel.first);
  channel.second.reset();
  if (inside) {
    CO_TRY_STATUS(send_message(launch.channel.get(), ChannelMessage::Kind::kGo));
    CO_TRY_STATUS(co_await launch.follow_fork());
    CO_TRY_STATUS(send_message(launch.channel.get(), ChannelMessage::Kind::kGo));
  }
  CO_TRY_STATUS(co_await launch.expect(ChannelMessage::Kind::kReady));
  PauseProcess pause(std::move(launch.child));
  CO_TRY(pause.namespace_, pid_namespace_of(pause.child_));
  co_return pause;
}

Status run_pause() {
  TRY_STATUS(settle());
  close(kChannelFd);
  while (true) pause();
}

}  // namespace kata::agent
