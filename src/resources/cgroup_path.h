#pragma once

#include <string>

#include "base/error.h"

namespace kata::resources {

// Group of a sandbox below the root of each hierarchy, "/kubepods/pod1/kata_<id>" for example, made
// from the spec's cgroupsPath (facts/runtime-behaviour.md section 6):
//   /parent/name         -> /parent/kata_name
//   name or empty        -> /vc/kata_name, /vc/kata_<id>
//   slice:prefix:name    -> the folders of the slice, then prefix-name.scope; an empty slice is
//                           system.slice
// kInvalidArgument for a path that leaves its place or a slice that is none.
Result<std::string> sandbox_cgroup_path(const std::string& cgroups_path, const std::string& id);

// Group of what a sandbox costs besides its vCPUs, when those are kept apart.
std::string overhead_cgroup_path(const std::string& id);

}  // namespace kata::resources
