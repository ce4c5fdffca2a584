// The host's disks for containers of a sandbox.
#include "base/log.h"
#include "runtime/sandbox.h"
#include "storage/wanted_disks.h"

namespace kata::runtime {

namespace {

grpc::Device guest_device(const hypervisor::DiskAddress& address, std::string container_path) {
  grpc::Device device;
  const bool scsi = address.pci_path.empty();
  device.set_type(scsi ? "scsi" : "blk");
  device.set_id(scsi ? address.scsi_addr : address.pci_path);
  device.set_container_path(std::move(container_path));
  return device;
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
  // The VM ends with its last container, and nobody has to wait for the guest.
  if (!disks_ || containers_.empty() || !lives()) co_return;
  co_await disks_->release(std::move(container));
}

}  // namespace kata::runtime
