#include "agent/container/session.h"

#include <grp.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/container/launch_config.h"

namespace kata::agent {

Status wait_for(ChannelMessage::Kind kind) {
  TRY(ChannelMessage message, receive_message(kChannelFd));
  if (message.kind == kind) return {};
  return fail(Code::kCanceled, "the agent gave this process up");
}

Status new_session(const std::string& container_id) {
  if (setsid() < 0) return fail_errno("setsid");
  // Keys of the agent or of other containers must not be reachable. Kernels without keyrings and
  // used-up quotas are no reason to fail.
  std::string name = "_ses." + container_id;
  (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  return {};
}

Status become_namespace_root() {
  if (setresgid(0, 0, 0) < 0) return fail_errno("become gid 0 of the user namespace");
  if (setgroups(0, nullptr) < 0 && errno != EPERM) return fail_errno("drop groups");
  if (setresuid(0, 0, 0) < 0) return fail_errno("become uid 0 of the user namespace");
  return {};
}

}  // namespace kata::agent
