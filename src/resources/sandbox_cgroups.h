#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/cpu_list.h"
#include "journal/journal.h"
#include "resources/host_cgroups.h"

namespace kata::resources {

// The control groups of one sandbox on the host (docs/design/resources.md). With
// sandbox_cgroup_only everything is in the group that the spec names; otherwise everything is in
// /kata_overhead/<id>, where no limit of the pod holds, and on v1 the vCPU threads are in the group
// of the spec. Each group is in the journal before it is made; replaying that removes it. A group
// that has processes already is used and left.
//
// Groups hold the whole calling process: one object per process. Any thread; blocking.
class SandboxCgroups {
 public:
  struct Request {
    std::string id;
    std::string cgroups_path;  // of the spec
    bool sandbox_only = false;
  };

  // Makes the groups. Without sandbox_only a failure here or in enter() is a warning: they only
  // count and limit, and the sandbox runs without.
  static Result<std::unique_ptr<SandboxCgroups>> create(const Request& request, HostCgroups host,
                                                        Journal& journal);

  // This process goes in: what it starts from now on is born there.
  Status enter();
  // Whether add_vcpus() has anything to do.
  bool keeps_vcpus_apart() const { return !vcpus_.empty(); }
  // Threads that run vCPUs.
  Status add_vcpus(const std::vector<pid_t>& threads);
  // Host CPUs that the vCPUs may use, and who shares their group; empty = no limit.
  Status set_cpus(const CpuSet& cpus);
  // This process goes back to where it came from; removal of the groups needs that. Idempotent.
  void leave();

 private:
  struct Group {
    std::string folder;
    bool cpuset = false;
  };

  SandboxCgroups() = default;
  Status make_groups(const std::string& path, bool vcpus_only, Journal& journal,
                     std::vector<Group>* made);
  Status enter_home();
  void give_up(const Error& why);

  HostCgroups host_;
  bool sandbox_only_ = false;
  std::vector<Group> home_;             // where this process and its children are
  std::vector<Group> vcpus_;            // empty: the vCPUs are at home too
  std::vector<std::string> came_from_;  // per hierarchy; empty when not entered
};

}  // namespace kata::resources
