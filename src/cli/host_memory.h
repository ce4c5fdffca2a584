#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

// Memory of a process by what it is for, in bytes (proc(5), smaps).
namespace kata::cli {

struct HostMemory {
  uint64_t guest_size = 0;  // the VM's memory as it is mapped, touched or not
  uint64_t guest = 0;       // this process's share (PSS) of the pages of it that exist
  uint64_t code = 0;        // translated code of an emulating VMM
  uint64_t rest = 0;        // PSS of everything else

  HostMemory& operator+=(const HostMemory& other);
};

// The text of /proc/PID/smaps.
HostMemory read_smaps(std::string_view text);
// kNotFound when the process has ended, kPermissionDenied when it is another user's.
Result<HostMemory> host_memory(pid_t pid);
// With its children: virtiofsd's C version does its work in one.
Result<HostMemory> family_memory(pid_t pid);

}  // namespace kata::cli
