#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace kata::storage {

// The two daemons of that name differ in their command lines (facts/hypervisors.md section 5.1).
enum class VirtiofsdDialect {
  kC,     // of QEMU up to 7.2: -o source=...
  kRust,  // of gitlab.com/virtio-fs: --shared-dir=...
};

struct VirtiofsdCommand {
  std::string path;
  std::string shared_dir;
  std::string cache;                    // auto, always, metadata, never, none
  std::vector<std::string> extra_args;  // in either dialect's words
  int socket_fd = 3;                    // listening socket
  uint64_t max_files = 0;               // RLIMIT_NOFILE
};

// Whole command line, program first. Sandbox and seccomp filter are always on: extra arguments that
// could switch them off, or that name another folder or socket, are kInvalidArgument
// (CVE-2026-47243, CVE-2026-44210).
Result<std::vector<std::string>> virtiofsd_args(VirtiofsdDialect dialect,
                                                const VirtiofsdCommand& command);

// What this process can give a child as RLIMIT_NOFILE: the daemon ends at once when it asks for
// more than the hard limit without CAP_SYS_RESOURCE.
uint64_t virtiofsd_max_files();

}  // namespace kata::storage
