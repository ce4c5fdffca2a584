#include "hypervisor/qemu/pci_slots.h"

#include <algorithm>
#include <cstdio>

namespace kata::hypervisor::qemu {

namespace {

std::string hex2(uint32_t value) {
  char text[16];
  snprintf(text, sizeof text, "%02x", value);
  return text;
}

}  // namespace

bool PciSlots::is_taken(Slot slot) const {
  return std::ranges::any_of(taken_, [slot](const auto& entry) { return entry.second == slot; });
}

Result<PciPlace> PciSlots::take(const std::string& id) {
  if (taken_.contains(id)) return fail(Code::kAlreadyExists, "device " + id + " is plugged");
  for (uint32_t bridge = 0; bridge < bridges_; ++bridge) {
    for (uint32_t number = 1; number <= kSlotsPerBridge; ++number) {
      Slot slot{bridge, number};
      if (is_taken(slot)) continue;
      taken_[id] = slot;
      return PciPlace{"pci-bridge-" + std::to_string(bridge), hex2(number),
                      hex2(kFirstBridgeSlot + bridge) + "/" + hex2(number)};
    }
  }
  return fail(Code::kResourceExhausted,
              "all " + std::to_string(bridges_ * kSlotsPerBridge) +
                  " PCI slots for disks and network devices are taken; default_bridges (at most 5) "
                  "adds " +
                  std::to_string(kSlotsPerBridge) + " each");
}

}  // namespace kata::hypervisor::qemu
