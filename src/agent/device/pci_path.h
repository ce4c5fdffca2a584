#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace kata::agent {

// One step of a PCI path: slot and function below the bridge named by the step before.
struct PciSlot {
  uint8_t slot = 0, function = 0;
  bool operator==(const PciSlot&) const = default;
};

// Where a PCI device sits, from the root bus down (facts/agent-protocol.md section 8): "02/01.3" is
// slot 1 function 3 behind the bridge in slot 2. Three or more parts with a first one of 0x20 or
// more name a root complex (pxb-pcie) of that bus number.
struct PciPath {
  uint8_t root_bus = 0;
  std::vector<PciSlot> slots;

  static Result<PciPath> parse(const std::string& text);
};

// Folder of the device in sysfs; nullopt while it, or a bridge on the way, is not there.
// `sysfs` is "/sys" except in tests.
std::optional<std::string> pci_sysfs_folder(const std::string& sysfs, const PciPath& path);

// Address such as "0000:00:02.0" of the device in that folder.
std::string pci_address(const std::string& folder);

}  // namespace kata::agent
