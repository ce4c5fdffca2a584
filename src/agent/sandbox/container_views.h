#pragma once

#include <map>
#include <string>

#include "agent/cgroup/cgroup.h"
#include "agent/view/choose_cpus.h"
#include "agent/view/view_fs.h"

namespace kata::agent {

// Which CPUs each container has, and the files that show its limits. One per agent, event-loop
// thread only.
class ContainerViews {
 public:
  // `mount_point` is made on first use.
  explicit ContainerViews(std::string mount_point) : mount_point_(std::move(mount_point)) {}

  // CPUs for a container that has `had` and may use `count` (0 = no limit). Empty: leave it alone.
  CpuSet choose(const std::string& id, uint32_t count, const CpuSet& had) const;
  void took(const std::string& id, const CpuSet& cpus) { taken_[id] = cpus; }

  // Folder of view files for a container whose spec has a limit to show; empty without one, or when
  // the kernel has no FUSE (logged). They say what `cgroup` says until forget().
  std::string show(asio::any_io_executor executor, const std::string& id,
                   const grpc::LinuxResources& resources, const Cgroup* cgroup);
  void forget(const std::string& id);

 private:
  std::string mount_point_;
  std::map<std::string, CpuSet> taken_;
  ViewFs files_;
  bool complained_ = false;
};

}  // namespace kata::agent
