#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::resources {

// Where the host's control groups are: one unified hierarchy, or one folder per v1 controller
// (several names may lead to one hierarchy). What is mounted on /sys/fs/cgroup itself decides, as
// for runc: with cgroup2 there, v1 hierarchies below it (net_cls, say) do not count.
struct HostCgroups {
  struct Hierarchy {
    std::string root;                      // mount point
    std::vector<std::string> controllers;  // v1; empty = the unified hierarchy
    bool has(std::string_view controller) const;
  };
  std::vector<Hierarchy> hierarchies;
  bool unified = false;

  bool empty() const { return hierarchies.empty(); }
  // This process's groups as absolute folders, in the order of `hierarchies`.
  // `text` is that of /proc/self/cgroup.
  std::vector<std::string> own_folders(std::string_view text) const;
};

// Reads a mountinfo text (proc(5)). Only what is mounted writable below /sys/fs/cgroup counts: a
// container without delegated groups has nothing to place processes in.
HostCgroups find_host_cgroups(std::string_view mountinfo);

}  // namespace kata::resources
