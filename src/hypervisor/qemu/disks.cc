// The SCSI controller, I/O threads and the disks that are there from the start.
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

void add_disk(const Build& build, const DiskDevice& disk, size_t index, Arguments* args) {
  Props drive("if=none");
  drive.set("id", "drive-" + disk.id).set("file", disk.path).set("format", "raw");
  drive.set("aio", disk.direct || disk.aio != "native" ? disk.aio : "threads");
  drive.flag("readonly", disk.read_only);
  if (disk.direct) drive.flag("cache.direct", true);
  if (disk.no_flush) drive.flag("cache.no-flush", true);
  args->add("-drive", drive);
  bool scsi = build.config.disk_driver == DiskDriver::kVirtioScsi && !build.microvm();
  Props device = scsi ? Props("scsi-hd") : virtio_device(build, "virtio-blk");
  device.set("id", "virtio-" + disk.id).set("drive", "drive-" + disk.id).flag("share-rw", true);
  if (scsi) {
    device.set("bus", "scsi0.0").set("channel", "0").set("scsi-id", "0").set("lun", index);
  }
  // QEMU's default stops the whole VM when the host's disk is full.
  device.set("werror", "report").set("rerror", "report");
  if (!disk.serial.empty()) device.set("serial", disk.serial);
  if (disk.logical_sector != 0) device.set("logical_block_size", disk.logical_sector);
  if (disk.physical_sector != 0) device.set("physical_block_size", disk.physical_sector);
  args->device(device);
}

}  // namespace

void add_disks(const Build& build, Arguments* args) {
  const VmConfig& config = build.config;
  bool scsi = config.disk_driver == DiskDriver::kVirtioScsi && !build.microvm();
  for (uint32_t i = 0; i < config.indep_iothreads; ++i) {
    args->add("-object", Props("iothread").set("id", "indep-iothread-" + std::to_string(i)));
  }
  if (config.iothreads) args->add("-object", "iothread,id=iothread-scsi0");
  if (scsi) {
    Props controller = virtio_device(build, "virtio-scsi").set("id", "scsi0");
    args->device(controller.set_if(config.iothreads, "iothread", "iothread-scsi0"));
  }
  for (size_t i = 0; i < config.disks.size(); ++i) add_disk(build, config.disks[i], i, args);
}

}  // namespace kata::hypervisor::qemu
