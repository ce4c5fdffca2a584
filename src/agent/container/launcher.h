#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/cgroup/cgroup.h"
#include "base/error.h"
#include "base/task.h"
#include "base/unique_fd.h"
#include "base/user_namespace.h"

// Turns an OCI spec into a running process (facts/agent-behaviour.md sections 4, 5; the order of
// the steps is in docs/design/container-process.md).
//
// The agent forks with clone3 and executes its own sealed image again (CVE-2019-5736) as
// "kata-agent init"; that child does all the work in the new namespaces and reports over a
// socket. The processes are direct children of the agent: the caller reaps them (pidfd readable,
// then waitid(P_PIDFD)); orphans come to the agent as child subreaper. No call here depends on who
// reaps. The calling process must be single-threaded: it enters shared namespaces for the moment of
// the clone.
namespace kata::agent {

// Standard streams of a new process; an empty one is /dev/null. Unused when the process has a
// terminal: the pty is made inside the container's own devpts and its master handed out.
struct Stdio {
  UniqueFd in, out, err;
};

// A namespace to enter instead of making one. `type` is a CLONE_NEW* constant.
struct NamespaceFd {
  int type = 0;
  UniqueFd fd;
};

struct InitRequest {
  std::string id;
  std::string bundle;  // only shown to hooks
  std::string rootfs;  // absolute path in the agent's mount namespace, free of symlinks
  std::string view;    // folder of its view files, empty = none
  const grpc::Spec* spec = nullptr;  // read during create_init() only
  Stdio stdio;
  // Pod-wide namespaces (ipc, uts, user, pid of the first container). Each replaces the spec's
  // entry of its type, and is entered even when the spec has none.
  std::vector<NamespaceFd> join;
  Cgroup* cgroup = nullptr;  // limits are already applied; nullptr = stay in the agent's
};

struct ExecRequest {
  const grpc::Process* process = nullptr;  // read during exec_process() only
  // Container's spec: seccomp, annotations, capabilities for a process that names none.
  const grpc::Spec* spec = nullptr;
  Stdio stdio;
  const std::vector<NamespaceFd>* namespaces = nullptr;  // InitProcess::namespaces()
  pid_t init_pid = 0;
  Cgroup* cgroup = nullptr;
};

// A process that the launcher made. `pid` is as seen in the agent's pid namespace.
struct Launched {
  pid_t pid = 0;
  UniqueFd pidfd;
  UniqueFd console;  // master of the pty when the process has a terminal
};

// A container's first process, created and waiting for start(). Destroying the object before
// start() kills the process (its gate closes).
class InitProcess {
 public:
  virtual ~InitProcess() = default;
  virtual pid_t pid() const = 0;
  virtual int pidfd() const = 0;
  // Master of the pty, once; empty without a terminal.
  virtual UniqueFd take_console() = 0;
  // The namespaces of the container, opened before any of its code ran.
  virtual const std::vector<NamespaceFd>& namespaces() const = 0;
  // Opens the gate. Comes back when execve succeeded (startContainer hooks have run by then; then
  // poststart hooks run, their failure is only logged), or with the reason of the failure; the
  // process is gone then. A program that the kernel refuses (wrong format, missing interpreter) is
  // an ordinary exit with its reason on stderr, as under runc.
  virtual Task<Status> start() = 0;
};

// Error classes of both calls: kNotFound for a missing program or user-visible path
// (`exec: "foo": executable file not found in $PATH`), kPermissionDenied for one that may not be
// executed, kInvalidArgument for a spec that cannot be honoured, others by errno. On failure
// nothing is left: no process, no mount; the cgroup stays with the caller.
Task<Result<std::unique_ptr<InitProcess>>> create_init(InitRequest request);
// Runs at once.
Task<Result<Launched>> exec_process(ExecRequest request);

// poststop hooks, after the last process is gone; failures are logged.
Task<> run_poststop_hooks(const grpc::Spec& spec, std::string id, std::string bundle);

// The id maps of a user namespace that a spec asks for.
IdMappings mappings_of(const grpc::Linux& spec);

// A pod-wide namespace (CLONE_NEWIPC or CLONE_NEWUTS), kept alive by the descriptor. `hostname`
// is set in a new UTS namespace.
Result<UniqueFd> make_shared_namespace(int type, const std::string& hostname = {});

// Host name of a UTS namespace; an empty one leaves it.
Status set_hostname(int uts, const std::string& hostname);

// True when the program was started as one of the launcher's children: argv[1] is "init",
// "hooks" or "pause". main() then returns container_init_main() and does nothing else.
bool is_container_init(int argc, char** argv);
int container_init_main(int argc, char** argv);

}  // namespace kata::agent
