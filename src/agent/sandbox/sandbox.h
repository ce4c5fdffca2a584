#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/cgroup/hierarchy.h"
#include "agent/container/pause_process.h"
#include "agent/sandbox/container.h"
#include "agent/sandbox/guest_hooks.h"
#include "agent/sandbox/oom_events.h"
#include "base/event.h"

namespace kata::agent {

// Container id rule of the wire: alphanumeric first, then alphanumerics or "_.-", two at least.
Status check_container_id(const std::string& id);

// The pod: its containers, the namespaces they share and the events they cause. One per agent,
// created empty at start; CreateSandbox gives it an identity. Event-loop thread only.
class Sandbox {
 public:
  explicit Sandbox(asio::any_io_executor executor);

  const std::string& id() const { return id_; }
  // Makes the pod-wide IPC and UTS namespaces. A second sandbox is refused.
  Status begin(const std::string& id, const std::string& hostname);
  // The pod's containers share their PIDs; where none of them comes first without doing so,
  // hold_pids() makes the namespace.
  void share_pids() { shares_pids_ = true; }
  Task<Status> hold_pids();
  void set_hooks(GuestHooks hooks) { hooks_ = std::move(hooks); }
  const GuestHooks& hooks() const { return hooks_; }

  // Makes the pod's user namespace when `spec`, which is about to become a container, is the first
  // that asks for one: all containers live in it, and the pod's other namespaces belong to it, so
  // that root of a container may set the host name, mount an mqueue or bind a low port, as under
  // runc. With `own_network` the guest's interfaces move, too.
  // kInvalidArgument for other maps than the pod's, kFailedPrecondition when a container without
  // one is there.
  Status share_user_namespace(const grpc::Linux& spec, bool own_network);
  // Where the kernel puts new interfaces while the agent lives in the pod's own network namespace;
  // -1 while it does not.
  int outer_network() const { return outer_network_.get(); }

  // nullptr on a machine without cgroups.
  const CgroupHierarchy* cgroups() const { return cgroups_ ? &*cgroups_ : nullptr; }

  // Claims an id, so that a second create of it fails at once and not half way.
  Status reserve(const std::string& id);
  void release(const std::string& id) { reserved_.erase(id); }
  void add(std::shared_ptr<Container> container);
  // kInvalidArgument "Invalid container id" when unknown or still being created.
  Result<std::shared_ptr<Container>> find(const std::string& id) const;
  std::vector<std::shared_ptr<Container>> containers() const;
  void remove(const std::string& id);

  // Namespaces that a new container enters; `share_pids`: also a PID namespace that exists.
  Result<std::vector<NamespaceFd>> namespaces_to_join(bool share_pids) const;

  OomEvents& oom() { return oom_; }
  // Set when the sandbox is to end; the program then stops.
  Event& finished() { return finished_; }

 private:
  Result<NamespaceFd> pids_to_share() const;

  std::string id_;
  GuestHooks hooks_;
  std::optional<CgroupHierarchy> cgroups_;
  std::map<std::string, std::shared_ptr<Container>> containers_;
  std::set<std::string> reserved_;
  std::string hostname_;
  UniqueFd ipc_, uts_;
  UniqueFd user_;  // of the pod, when it has one, with its maps
  IdMappings mappings_;
  UniqueFd outer_network_;
  UniqueFd pidns_;           // of the first container, or of pause_
  std::string pidns_owner_;  // that container
  std::optional<PauseProcess> pause_;
  bool shares_pids_ = false;
  AsyncMutex making_pids_;
  OomEvents oom_;
  Event finished_;
};

}  // namespace kata::agent
