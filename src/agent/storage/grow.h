#pragma once

#include <cstdint>
#include <string>

#include "agent/device/uevents.h"

namespace kata::agent {

// Grows the file system that is mounted on `path` to `bytes`, once its disk has them: the host
// enlarges a disk before it asks. ext4 only, others are kUnimplemented; it never shrinks. The
// kernel works while the loop waits: milliseconds for each GiB.
Task<Status> grow_volume(UeventMonitor& uevents, Clock::duration limit, std::string path,
                         uint64_t bytes);

// Writes out what is cached of the file system that is mounted on `path`, as the disk below it is
// about to be taken away.
Status flush_volume(const std::string& path);

}  // namespace kata::agent
