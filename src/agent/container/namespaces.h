#pragma once

#include <sched.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "agent/container/launcher.h"
#include "base/error.h"
#include "base/unique_fd.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace kata::agent {

// A kind of namespace: its word in an OCI spec, its file below /proc/<pid>/ns and its flag.
struct NamespaceKind {
  std::string_view oci;
  const char* proc;
  int flag;
};
const NamespaceKind* namespace_by_oci(std::string_view type);
const NamespaceKind* namespace_by_flag(int flag);

// A clone does not make these: the cgroup namespace takes the cgroup that its maker is in, and the
// time namespace wants its offsets first.
inline constexpr uint32_t kMadeOtherwise = CLONE_NEWCGROUP | CLONE_NEWTIME;

// The namespaces of a process of ours whose program cannot have changed them yet, without mnt when
// it equals the caller's.
Result<std::vector<NamespaceFd>> pin_namespaces(pid_t pid);

// Moves the calling thread into namespaces and back at the end of the scope, so that a child cloned
// meanwhile is born inside them. Only for kinds that can be left again: ipc, uts, net, pid and
// time. A failed way back ends the process: an agent in the wrong namespace must not go on.
class NamespaceVisit {
 public:
  NamespaceVisit() = default;
  NamespaceVisit(const NamespaceVisit&) = delete;
  NamespaceVisit& operator=(const NamespaceVisit&) = delete;
  ~NamespaceVisit();

  Status enter(int type, int fd);
  // A new time namespace for the next child, with these offsets.
  Status make_time_namespace(const grpc::Linux& spec);

 private:
  Status remember(const NamespaceKind& kind);
  std::vector<NamespaceFd> back_;
};

}  // namespace kata::agent
