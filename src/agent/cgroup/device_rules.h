#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// One device rule. Later rules win.
struct DeviceRule {
  bool allow = false;
  char type = 'a';                // a, b, c
  std::optional<uint32_t> major;  // absent = any
  std::optional<uint32_t> minor;
  bool read = true, write = true, mknod = true;

  // "c 1:3 rwm", as cgroup v1 wants it; "a" alone for everything.
  std::string text() const;
  bool operator==(const DeviceRule&) const = default;
};

// The rules of a container: deny all, what every container may use, the rules of the spec (that of
// an empty list included), and at last the denial of the disks the guest itself lives on, which no
// rule of a spec can lift (CVE-2020-2023, CVE-2026-24834).
Result<std::vector<DeviceRule>> device_rules(const grpc::LinuxResources& resources,
                                             const std::vector<DeviceRule>& guest_disks);

// Denials for the block device under / and for everything it is made of or shares a disk with;
// empty when / is no block device (initramfs). `sys` is /sys, for tests another folder.
std::vector<DeviceRule> guest_disk_rules(dev_t root, const std::string& sys = "/sys");
dev_t root_device();

}  // namespace kata::agent
