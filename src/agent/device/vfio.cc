#include "agent/device/vfio.h"

#include <unistd.h>

#include <climits>

#include "agent/device/pci_path.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr char kDriver[] = "vfio-pci";

std::optional<std::string> link_name(const std::string& path) {
  char target[PATH_MAX];
  ssize_t n = readlink(path.c_str(), target, sizeof target);
  if (n <= 0) return std::nullopt;
  return basename(std::string(target, static_cast<size_t>(n)));
}

// Makes vfio-pci the driver of the function in this sysfs folder.
Status bind_to_vfio(const std::string& folder) {
  if (link_name(folder + "/driver") == kDriver) return {};
  std::string address = pci_address(folder);
  TRY_STATUS(write_existing(folder + "/driver_override", kDriver));
  if (path_exists(folder + "/driver")) {
    TRY_STATUS(write_existing(folder + "/driver/unbind", address));
  }
  return write_existing("/sys/bus/pci/drivers_probe", address);
}

Task<Result<std::string>> await_pci_folder(UeventMonitor& uevents, Clock::duration limit,
                                           std::string option) {
  size_t equals = option.find('=');
  if (equals == std::string::npos) {
    co_return fail(Code::kInvalidArgument, "bad VFIO option \"" + option + "\"");
  }
  CO_TRY(PciPath path, PciPath::parse(option.substr(equals + 1)));
  auto look = [path] { return pci_sysfs_folder("/sys", path); };
  co_return co_await uevents.await_device("PCI device " + option, std::move(look), limit);
}

}  // namespace

Task<Result<std::string>> prepare_vfio(UeventMonitor& uevents, Clock::duration limit,
                                       const grpc::Device& device) {
  bool for_container = device.type() == "vfio-pci";
  std::string group;
  for (const auto& option : device.options()) {
    CO_TRY(std::string folder, co_await await_pci_folder(uevents, limit, option));
    if (!for_container) continue;
    CO_TRY_STATUS(in_step("vfio-pci for " + option, bind_to_vfio(folder)));
    auto own = link_name(folder + "/iommu_group");
    if (!own) co_return fail(Code::kFailedPrecondition, option + " has no IOMMU group");
    if (!group.empty() && *own != group) {
      co_return fail(Code::kFailedPrecondition, "VFIO devices lie in several IOMMU groups");
    }
    group = *own;
  }
  if (!for_container) co_return std::string();
  if (group.empty()) co_return fail(Code::kInvalidArgument, "VFIO device without functions");
  std::string node = "/dev/vfio/" + group;
  auto look = [node]() -> std::optional<std::string> {
    if (path_exists(node)) return node;
    return std::nullopt;
  };
  co_return co_await uevents.await_device(node, std::move(look), limit);
}

}  // namespace kata::agent
