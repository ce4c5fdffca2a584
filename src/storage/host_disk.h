#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

// Disks of the host that a guest may be given. A disk is only ever one that somebody named: none is
// concluded from the source of a mount (CVE-2026-24054). Blocking calls.
namespace kata::storage {

struct HostDisk {
  std::string path;        // what a VMM opens: "/dev/loop3", or a file
  std::string key;         // the same for the same disk, whatever its name
  bool is_block = false;   // a device, not a file
  bool read_only = false;  // the host itself cannot write to it
  uint64_t bytes = 0;
};

// The block device with these numbers (runtime-spec, config-linux "Devices"). kNotFound when the
// host has none; kFailedPrecondition for one of size 0, which a VMM cannot open.
Result<HostDisk> find_block_device(uint32_t major, uint32_t minor);
// The block device, or the regular file that holds an image, at an absolute path.
Result<HostDisk> find_disk(const std::string& path);
// Its size now.
Result<uint64_t> disk_size(const HostDisk& disk);

}  // namespace kata::storage
