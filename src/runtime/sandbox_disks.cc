// The host's disks for containers of a sandbox.
#include <algorithm>

#include "base/log.h"
#include "runtime/sandbox.h"
#include "storage/wanted_disks.h"

namespace kata::runtime {

namespace {

// How the agent is told of a disk.
const char* driver_of(const hypervisor::DiskAddress& address) {
  return address.pci_path.empty() ? "scsi" : "blk";
}
const std::string& place_of(const hypervisor::DiskAddress& address) {
  return address.pci_path.empty() ? address.scsi_addr : address.pci_path;
}

grpc::Device guest_device(const hypervisor::DiskAddress& address, std::string container_path) {
  grpc::Device device;
  device.set_type(driver_of(address));
  device.set_id(place_of(address));
  device.set_container_path(std::move(container_path));
  return device;
}

grpc::Storage guest_storage(const hypervisor::DiskAddress& address,
                            const AssignedVolumes::Volume& volume) {
  grpc::Storage storage;
  storage.set_driver(driver_of(address));
  storage.set_source(place_of(address));
  storage.set_fstype(volume.note.fs_type);
  for (const std::string& option : volume.note.options) storage.add_options(option);
  // A disk that nobody can write to is not mounted without it.
  if (volume.disk.read_only && !volume.note.read_only()) storage.add_options("ro");
  storage.set_mount_point(volume.guest_path);
  // Nothing can be given to a group there.
  if (volume.note.group && !volume.read_only()) *storage.mutable_fs_group() = *volume.note.group;
  return storage;
}

}  // namespace

Task<Status> Sandbox::plug_devices(std::string container, const grpc::Spec& spec,
                                   oci::GuestContext& context,
                                   google::protobuf::RepeatedPtrField<grpc::Device>& devices) {
  auto wanted = co_await offload(pool_, [&] { return storage::wanted_disks(spec); });
  if (!wanted) co_return std::unexpected(std::move(wanted.error()).context("block devices"));
  for (auto& disk : *wanted) {
    CO_TRY_STATUS(still_there());
    auto address = co_await disks_->claim(container, std::move(disk.disk), disk.read_only);
    if (!address) {
      co_return std::unexpected(
          std::move(address.error()).context("block device " + disk.container_path));
    }
    context.block_devices.insert(disk.index);
    *devices.Add() = guest_device(*address, std::move(disk.container_path));
  }
  co_return Status{};
}

Task<> Sandbox::unplug_devices(std::string container) {
  // A VM that ends with its last container has nobody who would have to wait for the guest.
  if (!disks_ || !lives() || (containers_.empty() && !request_.outlives_containers)) co_return;
  auto unplugged = co_await disks_->release(container);
  if (unplugged) {
    co_await volumes_->release(std::move(container));
    co_return;
  }
  if (!lives()) co_return;
  // Volumes stay locked until the VM ends: its guest could still write to them.
  log::failure("a disk stays in the VM", unplugged.error(), {{"container", container}});
}

Task<Result<std::string>> Sandbox::plug_volume(std::string container, std::string source,
                                               std::vector<grpc::Storage>& storages) {
  CO_TRY(auto volume, co_await volumes_->claim(container, source));
  if (!volume) co_return std::string();
  CO_TRY_STATUS(still_there());
  CO_TRY(auto address, co_await disks_->claim(container, volume->disk, volume->read_only()));
  grpc::Storage storage = guest_storage(address, *volume);
  const auto same = [&](const grpc::Storage& other) {
    return other.mount_point() == storage.mount_point();
  };
  if (std::ranges::none_of(storages, same)) storages.push_back(std::move(storage));
  co_return volume->guest_path;
}

Task<Status> Sandbox::plug_volumes(std::string container, const grpc::Spec& spec,
                                   oci::GuestContext& context,
                                   std::vector<grpc::Storage>& storages) {
  for (int index : oci::host_binds(spec, context)) {
    grpc::Mount mount = spec.mounts(index);
    if (!mount.source().starts_with('/')) continue;  // below the bundle
    auto place = co_await plug_volume(container, mount.source(), storages);
    if (!place) {
      const std::string where = "mounts[" + std::to_string(index) + "] on " + mount.destination();
      co_return std::unexpected(std::move(place.error()).context(where));
    }
    if (place->empty()) continue;
    mount.set_type("bind");
    mount.set_source(std::move(*place));
    context.mounts[index] = std::move(mount);
  }
  co_return Status{};
}

Task<Result<grpc::VolumeStatsResponse>> Sandbox::volume_stats(std::string name) {
  auto self = shared_from_this();
  auto volume = volumes_->find(name);
  if (!volume) co_return fail(Code::kNotFound, "no container of this sandbox has volume " + name);
  co_return co_await agent_->volume_stats(volume->guest_path);
}

Task<Status> Sandbox::resize_volume(std::string name, uint64_t bytes) {
  auto self = shared_from_this();
  auto volume = volumes_->find(name);
  if (!volume) co_return fail(Code::kNotFound, "no container of this sandbox has volume " + name);
  storage::HostDisk disk = volume->disk;
  CO_TRY(disk.bytes, co_await offload(pool_, [&] { return storage::disk_size(disk); }));
  CO_TRY_STATUS(co_await disks_->grow(disk, bytes));
  co_return co_await agent_->resize_volume(volume->guest_path, bytes);
}

}  // namespace kata::runtime
