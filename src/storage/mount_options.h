#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/user_namespace.h"

namespace kata::storage {

// Options of a mount request as mount(2) takes them. Later options win.
struct MountOptions {
  unsigned long flags = 0;        // MS_RDONLY, MS_NOSUID, ...
  bool recursive = false;         // rbind
  std::vector<std::string> data;  // what the file system itself reads
  IdMappings ids;                 // uidmap=, gidmap= (containerd 2.x)
};

// kUnimplemented for options that ask for more than a mount: loop devices, and layers that upstream
// hands to the guest in encoded form (facts/runtime-behaviour.md section 4.2).
Result<MountOptions> parse_mount_options(const std::vector<std::string>& options);

}  // namespace kata::storage
