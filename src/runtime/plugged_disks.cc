#include "runtime/plugged_disks.h"

#include "base/log.h"

namespace kata::runtime {

namespace {

std::string key_of(const storage::HostDisk& disk, bool read_only) {
  return disk.key + (read_only ? " ro" : " rw");
}

}  // namespace

hypervisor::DiskDevice PluggedDisks::plan(const storage::HostDisk& disk, bool read_only) {
  hypervisor::DiskDevice device;
  // Never used again: the guest may hold on to one that was taken away.
  device.id = "disk-" + std::to_string(next_++);
  device.path = disk.path;
  device.read_only = read_only;
  if (config_.block_device_cache_set) {
    device.direct = config_.block_device_cache_direct;
    device.no_flush = config_.block_device_cache_noflush;
  }
  device.aio = config_.block_device_aio;
  device.logical_sector = static_cast<uint32_t>(config_.block_device_logical_sector_size);
  device.physical_sector = static_cast<uint32_t>(config_.block_device_physical_sector_size);
  return device;
}

Task<Result<hypervisor::DiskAddress>> PluggedDisks::claim(std::string owner, storage::HostDisk disk,
                                                          bool read_only) {
  const std::string key = key_of(disk, read_only);
  auto& slot = disks_[key];
  if (!slot) slot = std::make_shared<Disk>(executor_);
  auto entry = slot;
  // Before the wait: the present users must not take away what is about to be shared.
  entry->owners.insert(owner);
  {
    const auto turn = co_await entry->order.lock();
    if (!entry->id.empty()) co_return entry->address;
    auto device = plan(disk, read_only);
    std::string id = device.id;
    auto plugged = co_await vm_.add_disk(std::move(device));
    if (plugged) {
      entry->id = std::move(id);
      entry->address = std::move(*plugged);
      log::info("disk plugged", {{"disk", disk.path}, {"id", entry->id}});
      co_return entry->address;
    }
    entry->owners.erase(owner);
    if (entry->owners.empty()) disks_.erase(key);
    co_return std::unexpected(std::move(plugged.error()).context("plug " + disk.path));
  }
}

Task<Status> PluggedDisks::release(std::string owner) {
  std::vector<std::pair<std::string, std::shared_ptr<Disk>>> left;
  for (const auto& [key, disk] : disks_) {
    if (disk->owners.erase(owner) > 0) left.emplace_back(key, disk);
  }
  Status first;
  for (auto& [key, disk] : left) {
    Status gone = co_await leave(key, disk);
    if (first) first = std::move(gone);
  }
  co_return first;
}

Task<Status> PluggedDisks::leave(std::string key, std::shared_ptr<Disk> disk) {
  const auto turn = co_await disk->order.lock();
  // Somebody came meanwhile, or was quicker.
  if (!disk->owners.empty()) co_return Status{};
  Status gone;
  if (!disk->id.empty()) {
    const std::string id = std::exchange(disk->id, {});
    gone = in_step("take " + key + " out of the VM", co_await vm_.remove_disk(id));
  }
  auto entry = disks_.find(key);
  if (disk->owners.empty() && entry != disks_.end() && entry->second == disk) disks_.erase(entry);
  co_return gone;
}

Task<Status> PluggedDisks::grow(storage::HostDisk disk, uint64_t bytes) {
  if (disk.bytes < bytes) {
    co_return fail(Code::kFailedPrecondition,
                   disk.path + " has " + std::to_string(disk.bytes) + " bytes on the host, not " +
                       std::to_string(bytes) + ": enlarge it there first");
  }
  bool found = false;
  static constexpr bool kAccess[] = {false, true};
  for (const bool read_only : kAccess) {
    auto slot = disks_.find(key_of(disk, read_only));
    if (slot == disks_.end()) continue;
    auto entry = slot->second;
    const auto turn = co_await entry->order.lock();
    if (entry->id.empty()) continue;
    found = true;
    CO_TRY_STATUS(in_step("resize " + disk.path, co_await vm_.resize_disk(entry->id, disk.bytes)));
  }
  if (!found) co_return fail(Code::kNotFound, disk.path + " is not plugged into this VM");
  co_return Status{};
}

}  // namespace kata::runtime
