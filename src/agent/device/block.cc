#include "agent/device/block.h"

#include <algorithm>

#include "agent/device/pci_path.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

constexpr char kSysfs[] = "/sys";

std::optional<std::string> only_name(const std::string& folder) {
  auto names = list_dir(folder);
  if (!names || names->empty()) return std::nullopt;
  return "/dev/" + names->front();
}

// sysfs shows a disk a moment before its node is made; the event comes after both.
std::optional<std::string> once_made(std::optional<std::string> node) {
  return node && path_exists(*node) ? node : std::nullopt;
}

// "0:0:<id>:<lun>" of any host.
std::optional<std::string> scsi_block(const std::string& suffix) {
  std::string devices = std::string(kSysfs) + "/class/scsi_device";
  auto names = list_dir(devices);
  if (!names) return std::nullopt;
  for (const auto& name : *names) {
    if (name.ends_with(suffix)) return only_name(devices + "/" + name + "/device/block");
  }
  return std::nullopt;
}

void scan_scsi_hosts(const std::string& id, const std::string& lun) {
  std::string hosts = std::string(kSysfs) + "/class/scsi_host";
  auto names = list_dir(hosts);
  if (!names) return;
  for (const auto& name : *names) {
    auto scanned = write_existing(hosts + "/" + name + "/scan", "0 " + id + " " + lun);
    if (!scanned) log::failure("scsi scan", scanned.error());
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 8 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> block_below(const std::string& folder) {
  auto names = list_dir(folder);
  if (!names) return std::nullopt;
  for (const auto& name : *names) {
    if (!name.starts_with("virtio")) continue;
    if (auto found = only_name(folder + "/" + name + "/block")) return found;
  }
  return std::nullopt;
}

Task<Result<std::string>> await_pci_block(UeventMonitor& uevents, std::string pci_path,
                                          Clock::duration limit) {
  CO_TRY(PciPath path, PciPath::parse(pci_path));
  auto look = [path]() -> std::optional<std::string> {
    auto folder = pci_sysfs_folder(kSysfs, path);
    if (!folder) return std::nullopt;
    return once_made(block_below(*folder));
  };
  co_return co_await uevents.await_device("block device at PCI path " + pci_path, std::move(look),
                                          limit);
}

Task<Result<std::string>> await_scsi_block(UeventMonitor& uevents, std::string address,
                                           Clock::duration limit) {
  size_t colon = address.find(':');
  std::string id = address.substr(0, colon);
  std::string lun = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (!is_number(id) || !is_number(lun)) {
    co_return fail(Code::kInvalidArgument, "bad SCSI address \"" + address + "\"");
  }
  std::string suffix = ":0:" + id + ":" + lun;
  auto look = [suffix] { return once_made(scsi_block(suffix)); };
  if (!scsi_block(suffix)) scan_scsi_hosts(id, lun);
  co_return co_await uevents.await_device("SCSI disk " + address, std::move(look), limit);
}

Task<Result<std::string>> await_named_block(UeventMonitor& uevents, std::string node,
                                            Clock::duration limit) {
  static constexpr std::string_view kDev = "/dev/";
  if (!node.starts_with(kDev) || node.find('/', kDev.size()) != std::string::npos) {
    co_return fail(Code::kInvalidArgument, "bad device node \"" + node + "\"");
  }
  auto look = [node]() -> std::optional<std::string> {
    std::string in_sysfs = std::string(kSysfs) + "/class/block/" + node.substr(kDev.size());
    if (path_exists(in_sysfs) && path_exists(node)) return node;
    return std::nullopt;
  };
  co_return co_await uevents.await_device("block device " + node, std::move(look), limit);
}

}  // namespace kata::agent
