#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kata::agent {

// Where the cgroup hierarchies of this kernel are mounted. A plain value, read once at start.
class CgroupHierarchy {
 public:
  // Looks at `base` (statfs) and at /proc/self/mountinfo. A machine whose controllers are mounted
  // singly below `base` is v1, even when a controller-less cgroup2 sits beside them.
  static Result<CgroupHierarchy> detect(const std::string& base = "/sys/fs/cgroup");
  // Given trees; tests use plain directories.
  static CgroupHierarchy unified(std::string root);
  static CgroupHierarchy legacy(std::map<std::string, std::string> mounts);

  bool is_v2() const { return !unified_.empty(); }
  // Mount point of the unified hierarchy.
  const std::string& root() const { return unified_; }
  // v1: controller (or "name=systemd") -> mount point.
  const std::map<std::string, std::string>& mounts() const { return mounts_; }

 private:
  std::string unified_;
  std::map<std::string, std::string> mounts_;
};

// Turns linux.cgroupsPath into a path below every hierarchy: "/a/b" stays, "slice:prefix:name"
// becomes "/slice/prefix/name", empty becomes "/<cid>". ".." and "." are refused, so that a
// container can never name a cgroup outside the hierarchy.
Result<std::string> resolve_cgroups_path(std::string_view cgroups_path, std::string_view cid);

}  // namespace kata::agent
