#include "agent/container/pause_process.h"

#include <grp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "agent/container/capabilities.h"
#include "agent/container/channel.h"
#include "agent/container/emulation.h"
#include "agent/container/launch_config.h"
#include "agent/container/namespaces.h"

namespace kata::agent {
namespace {

constexpr unsigned kNobody = 65534;

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

Status shed_rights() {
  const CapabilitySets none;
  TRY_STATUS(apply_bounding_set(none));
  if (setgroups(0, nullptr) < 0 || setresgid(kNobody, kNobody, kNobody) < 0 ||
      setresuid(kNobody, kNobody, kNobody) < 0) {
    return fail_errno("become nobody");
  }
  TRY_STATUS(apply_capabilities(none, 0));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail_errno("set no_new_privs");
  // A change of user resets both.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail_errno("make process unreadable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return fail_errno("end with the agent");
  return {};
}

Status settle() {
  want_random_addresses();
  // Ended children vanish without being waited for.
  signal(SIGCHLD, SIG_IGN);
  TRY_STATUS(enter_empty_root());
  TRY_STATUS(shed_rights());
  return send_message(kChannelFd, ChannelMessage::Kind::kReady);
}

}  // namespace

Task<Result<PauseProcess>> PauseProcess::start() {
  CO_TRY(auto channel, make_channel());
  ChildPlan plan;
  plan.clone_flags = CLONE_NEWPID | CLONE_NEWNS;
  plan.channel = channel.second.get();
  plan.mode = kPauseMode;
  CO_TRY(Child child, spawn_child(plan));
  channel.second.reset();
  PauseProcess pause(std::move(child));
  CO_TRY(ChannelMessage message, co_await receive_message_async(channel.first.get()));
  if (message.error) co_return std::unexpected(std::move(*message.error));
  if (message.kind != ChannelMessage::Kind::kReady) {
    co_return fail(Code::kInternal, "the pause process died");
  }
  CO_TRY(pause.namespace_, pid_namespace_of(pause.child_));
  co_return pause;
}

Status run_pause() {
  TRY_STATUS(settle());
  close(kChannelFd);
  while (true) pause();
}

}  // namespace kata::agent
