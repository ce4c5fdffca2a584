#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// The options of one OCI mount, sorted by who has to act on them.
struct MountOptions {
  bool bind = false;
  bool recursive_bind = false;
  bool remount = false;
  bool tmpcopyup = false;
  // Per-mount attributes for mount_setattr(2) (MOUNT_ATTR_*): set, and explicitly cleared.
  uint64_t attr_set = 0;
  uint64_t attr_clear = 0;
  // The same, to be applied to the whole tree (rro, rnosuid, ...).
  uint64_t recursive_set = 0;
  uint64_t recursive_clear = 0;
  // MS_* flags of the superblock (sync, dirsync, mand, lazytime, silent).
  unsigned long super_flags = 0;
  // Propagation changes in their order (MS_SHARED, MS_SLAVE | MS_REC, ...).
  std::vector<unsigned long> propagation;
  // What the file system itself understands, comma-separated.
  std::string data;
};

// facts/agent-behaviour.md section 5; the words are those of the runtime-spec, config-linux mounts.
MountOptions parse_mount_options(const grpc::Mount& mount);

// Per-mount attributes as the MS_* flags of mount(2).
unsigned long attr_to_ms_flags(uint64_t attr);

// MS_* propagation flags of a word such as "rslave"; 0 when it is none.
unsigned long propagation_flags(std::string_view word);

}  // namespace kata::agent
