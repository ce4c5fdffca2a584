#pragma once

#include <map>

#include "agent/cgroup/cgroup.h"
#include "agent/cgroup/cgroup_dir.h"
#include "agent/cgroup/device_rules.h"

namespace kata::agent {

// The directories of one cgroup in the hierarchies of cgroup v1.
class CgroupV1 : public Cgroup {
 public:
  CgroupV1(std::map<std::string, std::string> mounts, std::string path);

  Status make();

  bool is_v2() const override { return false; }
  std::vector<std::pair<std::string, std::string>> hierarchies() const override;
  Status apply(const grpc::LinuxResources& resources) override;
  Status update(const grpc::LinuxResources& resources) override;
  Status set_cpuset(const std::string& cpus, const std::string& mems) override;
  Status restrict_cpus(const CpuSet& cpus) override;
  CpuSet effective_cpus() const override;
  MemoryView memory_view() const override;
  Status add(pid_t pid) override;
  Result<UniqueFd> clone_target(pid_t) override { return UniqueFd(); }
  Result<std::vector<pid_t>> pids() const override;
  bool frozen() const override;
  Result<grpc::CgroupStats> stats() const override;
  Result<std::unique_ptr<OomWatch>> watch_oom() override;
  Task<Status> destroy() override;

 private:
  Result<bool> ask_frozen(bool frozen) override;
  Status apply_devices(const grpc::LinuxResources& resources);
  Status write_controller(const std::string& controller, const std::vector<ControlWrite>& items);

  std::map<std::string, std::string> mounts_;
  std::map<std::string, CgroupDir> dirs_;  // by controller
};

// The same directories by controller, for the statistics.
using ControllerDirs = std::map<std::string, CgroupDir>;
grpc::CgroupStats read_stats_v1(const ControllerDirs& dirs);

Result<std::unique_ptr<OomWatch>> make_oom_watch_v1(const CgroupDir& memory);

}  // namespace kata::agent
