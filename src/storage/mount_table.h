#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace kata::storage {

// One line of /proc/self/mountinfo (proc(5)), without its escapes.
struct MountEntry {
  uint64_t id = 0;
  std::string device;       // "major:minor" of the file system
  std::string root;         // what of the file system is mounted
  std::string point;        // where
  std::string options;      // of the file system, comma-separated
  bool propagates = false;  // knows of later mounts of others ("shared:", "master:")
};

// The mounts that the calling thread sees (in_host_mounts(): the host's), oldest first.
Result<std::vector<MountEntry>> read_mount_table();

// The same from the text of such a file; lines that are cut short are left out.
std::vector<MountEntry> parse_mount_table(std::string_view text);

}  // namespace kata::storage
