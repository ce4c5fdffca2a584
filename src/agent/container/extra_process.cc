#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/container/child_steps.h"
#include "agent/container/console.h"
#include "agent/container/namespaces.h"
#include "agent/container/session.h"
#include "base/file.h"

namespace kata::agent {
namespace {

// The user namespace comes last (the agent orders them): before it, the agent's rights are needed.
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

// Pid and time namespaces are entered by birth only. The second process comes into the container's
// view with all the container's namespaces already entered: a tracer inside finds nothing of the
// agent's in it (runc CVE-2016-9962). It is a child of the agent, like the first.
Status be_born_inside() {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PARENT | CLONE_PIDFD;
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

Status extra_process(const LaunchConfig& config) {
  TRY_STATUS(wait_for(ChannelMessage::Kind::kGo));
  TRY_STATUS(enter_namespaces(config));
  TRY_STATUS(be_born_inside());
  TRY_STATUS(new_session(config.id));
  Console console;
  if (config.spec.process().terminal()) {
    TRY(UniqueFd root, open_file("/", O_PATH | O_DIRECTORY));
    TRY(console, open_console(root.get(), config.spec.process().consolesize()));
  }
  return run_program(config, console);
}

}  // namespace kata::agent
