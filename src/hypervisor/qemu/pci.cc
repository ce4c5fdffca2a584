// PCI topology and the properties that all virtio devices share.
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

// Bridges take slots 2, 3, ... on the root bus, ahead of every other device.
constexpr uint32_t kFirstBridgeSlot = 2;

Props finish(const Build& build, Props props) {
  if (build.microvm()) return props;
  props.set("romfile", "");
  if (build.config.iommu_platform) props.flag("iommu_platform", true);
  return props;
}

}  // namespace

Props virtio_device(const Build& build, std::string_view name) {
  Props props(std::string(name) + (build.microvm() ? "-device" : "-pci"));
  if (!build.microvm()) {
    props.set("disable-modern", build.config.disable_modern ? "true" : "false");
  }
  return finish(build, std::move(props));
}

Props vhost_device(const Build& build, std::string_view name) {
  return finish(build, Props(std::string(name) + (build.microvm() ? "-device" : "-pci")));
}

void add_pci(const Build& build, Arguments* args) {
  const VmConfig& config = build.config;
  if (build.microvm()) return;
  for (uint32_t i = 0; i < config.pci_bridges; ++i) {
    std::string number = std::to_string(i);
    args->device(Props("pci-bridge")
                     .set("bus", "pcie.0")
                     .set("id", "pci-bridge-" + number)
                     .set("chassis_nr", i + 1)
                     .flag("shpc", false)
                     .set("addr", kFirstBridgeSlot + i)
                     .set("romfile", "")
                     .set("io-reserve", "4k")
                     .set("mem-reserve", "1m")
                     .set("pref64-reserve", "1m"));
  }
  for (uint32_t i = 0; i < config.pcie_root_ports; ++i) {
    args->device(Props("pcie-root-port")
                     .set("id", "rp" + std::to_string(i))
                     .set("bus", "pcie.0")
                     .set("chassis", "0")
                     .set("slot", i)
                     .flag("multifunction", false));
  }
  if (config.iommu) {
    args->device(Props("intel-iommu")
                     .flag("intremap", !build.tcg())
                     .flag("device-iotlb", true)
                     .flag("caching-mode", true));
  }
}

}  // namespace kata::hypervisor::qemu
