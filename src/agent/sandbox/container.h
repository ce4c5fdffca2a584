#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/cgroup/cgroup.h"
#include "agent/container/launcher.h"
#include "agent/process/async_mutex.h"
#include "agent/process/process.h"
#include "agent/sandbox/container_views.h"
#include "agent/sandbox/oom_events.h"

namespace kata::agent {

// What a container is made of, once devices and storages are in place.
struct ContainerPlan {
  std::string id;
  grpc::Spec spec;
  std::string bundle;                        // made here, removed by destroy()
  std::vector<NamespaceFd> join;             // pod-wide namespaces
  const CgroupHierarchy* cgroups = nullptr;  // nullptr: the machine has none
  uint64_t pipe_size = 0;
  ContainerViews* views = nullptr;  // nullptr: limits are not shown; outlives the container
};

// One container: its cgroup, its first process and the execs in it. Owned by the sandbox; calls in
// flight hold references. Event-loop thread only; `order()` serializes the calls that change it,
// lookups and signals never wait.
class Container : public std::enable_shared_from_this<Container> {
 public:
  // Builds the container up to the gate before the user's program. On failure nothing is left.
  static Task<Result<std::shared_ptr<Container>>> create(ContainerPlan plan);

  const std::string& id() const { return id_; }
  const grpc::Spec& spec() const { return spec_; }
  AsyncMutex& order() { return order_; }
  Cgroup* cgroup() { return cgroup_.get(); }
  const std::vector<NamespaceFd>& namespaces() const { return gate_->namespaces(); }
  // It has a PID namespace that no other container made, and its first process is not over.
  bool lives_with_own_pids() const {
    return own_pids_ && state_ != State::kDestroyed && gate_ && !(init_ && init_->has_exited());
  }
  // Path of the root filesystem as the agent sees it.
  const std::string& rootfs() const { return rootfs_; }
  // Mount points to give back when it is gone.
  void set_storages(std::vector<std::string> mount_points) { storages_ = std::move(mount_points); }
  std::vector<std::string> take_storages() { return std::move(storages_); }

  // Opens the gate, and reports OOM kills to `oom` from then on (nullptr: nobody asks).
  Task<Status> start(OomEvents* oom);
  Task<Status> exec(std::string exec_id, const grpc::Process& process);
  // Empty and the container's own id both mean the first process. kNotFound "Process not found".
  Result<std::shared_ptr<ContainerProcess>> process(const std::string& exec_id) const;
  // Forgets an exec that has been waited for; the first process stays until destroy().
  void forget(const std::string& exec_id);

  // As facts/agent-behaviour.md section 12: empty id with SIGKILL takes every process.
  Task<Status> signal(std::string exec_id, int number);
  Status update(const grpc::LinuxResources& resources);
  // Gives it as many CPUs as its limit is worth, of those that are online now.
  void follow_cpu_limit();

  // Kills everything, runs poststop hooks, removes cgroup, mounts and bundle.
  Task<Status> destroy();

 private:
  enum class State { kCreated, kRunning, kDestroyed };

  explicit Container(ContainerPlan plan);
  Status make_bundle();
  Status make_cgroup();
  Task<Status> launch();
  Task<> clean_up();
  bool is_init(const std::string& exec_id) const { return exec_id.empty() || exec_id == id_; }
  static Task<> report_oom(std::shared_ptr<Container> self, std::unique_ptr<OomWatch> watch,
                           OomEvents* oom);

  std::string id_;
  grpc::Spec spec_;
  std::string bundle_, rootfs_;
  std::vector<NamespaceFd> join_;
  bool own_pids_;
  std::vector<std::string> storages_;
  const CgroupHierarchy* cgroups_;
  uint64_t pipe_size_;
  ContainerViews* views_;
  CpuSet cpus_;  // what its CPU limit left it; empty = it never had one

  AsyncMutex order_;
  State state_ = State::kCreated;
  bool rootfs_mounted_ = false;
  std::unique_ptr<Cgroup> cgroup_;
  std::unique_ptr<InitProcess> gate_;
  std::shared_ptr<ContainerProcess> init_;
  std::map<std::string, std::shared_ptr<ContainerProcess>> execs_;
};

}  // namespace kata::agent
