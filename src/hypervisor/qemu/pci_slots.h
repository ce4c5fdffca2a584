#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/error.h"

namespace kata::hypervisor::qemu {

// Where a device was or will be plugged.
struct PciPlace {
  std::string bus;         // QEMU id of the bridge
  std::string addr;        // slot behind it, hexadecimal
  std::string guest_path;  // "02/01": slot of the bridge, slot behind it
};

// Book-keeping of the slots behind the cold-plugged bridges (facts/hypervisors.md section 3.3).
class PciSlots {
 public:
  static constexpr uint32_t kSlotsPerBridge = 30;
  static constexpr uint32_t kFirstBridgeSlot = 2;

  explicit PciSlots(uint32_t bridges) : bridges_(bridges) {}

  // kResourceExhausted when every slot is taken, kAlreadyExists for a known id.
  Result<PciPlace> take(const std::string& id);
  void release(const std::string& id) { taken_.erase(id); }

 private:
  struct Slot {
    uint32_t bridge = 0;
    uint32_t number = 0;
    auto operator<=>(const Slot&) const = default;
  };
  bool is_taken(Slot slot) const;

  uint32_t bridges_;
  std::map<std::string, Slot> taken_;
};

}  // namespace kata::hypervisor::qemu
