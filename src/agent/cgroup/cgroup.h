#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/view/contents.h"
#include "base/error.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Tells of OOM kills in one cgroup. Wait until fd() is readable, then call take().
// v2: inotify on memory.events, v1: eventfd on memory.oom_control. Repeats for every kill.
class OomWatch {
 public:
  virtual ~OomWatch() = default;
  virtual int fd() const = 0;
  // Number of kills since the last call (0 = the wake-up had another cause).
  // kNotFound: the cgroup is empty or gone, the watch is over.
  virtual Result<uint64_t> take() = 0;
};

// The cgroup of one container (or of the pod): one directory on v2, one per controller on v1.
// The object does not remove the directory when it ends: destroy() does. Event-loop thread only; it
// must outlive the tasks it gave out. What takes time (freezing, dying tasks) suspends, nothing
// blocks.
// Resource files that the kernel lacks fail only when a value was asked for.
class Cgroup {
 public:
  // Makes the directories (parents too) and turns on every controller on the way.
  // `path` comes from resolve_cgroups_path(). An existing empty cgroup is taken over; one with
  // processes is kAlreadyExists.
  static Result<std::unique_ptr<Cgroup>> create(const CgroupHierarchy& where, std::string path);
  // Same without creating: for the pod level, which containers share.
  static Result<std::unique_ptr<Cgroup>> open_or_create(const CgroupHierarchy& where,
                                                        std::string path);
  virtual ~Cgroup() = default;

  const std::string& path() const { return path_; }
  virtual bool is_v2() const = 0;
  // v1: {mount point of a hierarchy, this cgroup's path below it}; empty on v2.
  virtual std::vector<std::pair<std::string, std::string>> hierarchies() const = 0;

  // Limits of a new container: every value of `resources` plus the device rules (deny all, the
  // default devices, then the rules of the spec; the guest's own disks stay out of reach).
  virtual Status apply(const grpc::LinuxResources& resources) = 0;
  // Limits of a running container: only what is present changes; devices stay.
  virtual Status update(const grpc::LinuxResources& resources) = 0;
  // Only the CPU set, both words as in linux.resources.cpu; empty = unchanged. Parents are widened
  // first when they are narrower.
  virtual Status set_cpuset(const std::string& cpus, const std::string& mems) = 0;

  // Only this cgroup's CPUs; the levels above stay as they are.
  virtual Status restrict_cpus(const CpuSet& cpus) = 0;
  // What its tasks may use now, for the views of the container; empty = unknown.
  virtual CpuSet effective_cpus() const = 0;
  virtual MemoryView memory_view() const = 0;

  virtual Status add(pid_t pid) = 0;
  // v2: directory to clone into with CLONE_INTO_CGROUP; empty on v1 (use add()). When the
  // workload made sub-cgroups (container in container) it is the cgroup of `init_pid`.
  virtual Result<UniqueFd> clone_target(pid_t init_pid = 0) = 0;

  // Every process at or below this cgroup.
  virtual Result<std::vector<pid_t>> pids() const = 0;
  // kDeadlineExceeded after 5 s, the cgroup runs then; kAborted when another freeze or thaw came in
  // between: the last one counts.
  Task<Status> freeze() { return set_frozen(true); }
  Task<Status> thaw() { return set_frozen(false); }
  virtual bool frozen() const = 0;
  // SIGKILL to every process, also those that are being forked (cgroup.kill, or freeze + kill).
  virtual Task<Status> kill_all();
  // Any signal to every process at or below.
  Status signal_all(int signal);

  virtual Result<grpc::CgroupStats> stats() const = 0;
  virtual Result<std::unique_ptr<OomWatch>> watch_oom() = 0;
  // Kills what is left and removes the directories, the container's own sub-cgroups included. Waits
  // <= 2 s for each while tasks die.
  virtual Task<Status> destroy() = 0;

 protected:
  explicit Cgroup(std::string path) : path_(std::move(path)) {}

 private:
  // Tells the kernel once more what is wanted; true when it is so.
  virtual Result<bool> ask_frozen(bool frozen) = 0;
  Task<Status> set_frozen(bool frozen);

  std::string path_;
  unsigned freeze_turn_ = 0;
};

}  // namespace kata::agent
