#include "agent/container/entry.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "agent/container/namespaces.h"
#include "agent/container/session.h"

namespace kata::agent {
namespace {

Status enter_namespaces(const LaunchConfig& config) {
  int fd = kFirstNamespaceFd;
  for (uint32_t type : config.enter) {
    if (setns(fd, static_cast<int>(type)) < 0) {
      const NamespaceKind* kind = namespace_by_flag(static_cast<int>(type));
      return fail_errno("enter " + std::string(kind ? kind->oci : "unknown") + " namespace");
    }
    close(fd++);
    if (type == CLONE_NEWUSER) TRY_STATUS(become_namespace_root());
  }
  return {};
}

// Pid and time namespaces are entered by birth only.
Status be_born_inside(uint32_t made) {
  int pidfd = -1;
  clone_args args{};
  args.flags = made | CLONE_PARENT | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  long pid = syscall(SYS_clone3, &args, sizeof args);
  // The kernel's word for a pid namespace whose first process is gone.
  if (pid < 0 && errno == ENOMEM) {
    return fail(Code::kFailedPrecondition, "cannot exec in a stopped container");
  }
  if (pid < 0) return fail_errno("clone into the container");
  if (pid > 0) {
    TRY_STATUS(send_message(kChannelFd, ChannelMessage::Kind::kForked, pidfd));
    _exit(0);
  }
  return wait_for(ChannelMessage::Kind::kGo);
}

}  // namespace

std::vector<const NamespaceFd*> entry_order(const std::vector<NamespaceFd>& all) {
  std::vector<const NamespaceFd*> out;
  for (const NamespaceFd& entry : all) out.push_back(&entry);
  auto rank = [](const NamespaceFd* entry) {
    return entry->type == CLONE_NEWUSER ? 2 : entry->type == CLONE_NEWNS ? 1 : 0;
  };
  std::stable_sort(out.begin(), out.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
  return out;
}

Status enter_by_birth(const LaunchConfig& config, uint32_t made) {
  TRY_STATUS(wait_for(ChannelMessage::Kind::kGo));
  TRY_STATUS(enter_namespaces(config));
  return be_born_inside(made);
}

}  // namespace kata::agent
