#pragma once

#include "agent/cgroup/cgroup.h"
#include "agent/cgroup/cgroup_dir.h"

namespace kata::agent {

// A cgroup of the unified hierarchy. Freezing and killing are the kernel's (cgroup.freeze,
// cgroup.kill); devices are governed by a BPF program.
class CgroupV2 : public Cgroup {
 public:
  CgroupV2(std::string root, std::string path);

  // Makes every directory of the path and turns all controllers on for it.
  Status make();
  bool populated() const;

  bool is_v2() const override { return true; }
  std::vector<std::pair<std::string, std::string>> hierarchies() const override { return {}; }
  Status apply(const grpc::LinuxResources& resources) override;
  Status update(const grpc::LinuxResources& resources) override;
  Status set_cpuset(const std::string& cpus, const std::string& mems) override;
  Status restrict_cpus(const CpuSet& cpus) override;
  CpuSet effective_cpus() const override;
  MemoryView memory_view() const override;
  Status add(pid_t pid) override;
  Result<UniqueFd> clone_target(pid_t init_pid) override;
  Result<std::vector<pid_t>> pids() const override { return dir_.pids(); }
  bool frozen() const override { return dir_.number("cgroup.freeze") == 1; }
  Task<Status> kill_all() override;
  Result<grpc::CgroupStats> stats() const override;
  Result<std::unique_ptr<OomWatch>> watch_oom() override;
  Task<Status> destroy() override;

 private:
  Result<bool> ask_frozen(bool frozen) override;
  Status apply_devices(const grpc::LinuxResources& resources);

  std::string root_;
  CgroupDir dir_;
  UniqueFd device_program_;
};

// Reads the statistics of a cgroup v2 directory (facts/agent-protocol.md "Statistics").
grpc::CgroupStats read_stats_v2(const CgroupDir& dir);

Result<std::unique_ptr<OomWatch>> make_oom_watch_v2(const CgroupDir& dir);

}  // namespace kata::agent
