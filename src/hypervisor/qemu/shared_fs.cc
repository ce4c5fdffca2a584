#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

void add_shared_fs(const Build& build, Arguments* args) {
  const SharedFs& fs = build.config.shared_fs;
  if (fs.kind == SharedFsKind::kVirtioFs) {
    args->add("-chardev", Props("socket").set("id", "char-" + fs.tag).set("path", fs.socket_path));
    Props device = vhost_device(build, "vhost-user-fs");
    device.set("chardev", "char-" + fs.tag).set("tag", fs.tag);
    device.set("queue-size", fs.queue_size);
    if (fs.cache_size != 0) device.set("cache-size", std::to_string(fs.cache_size) + "M");
    args->device(device);
  } else if (fs.kind == SharedFsKind::kVirtio9p) {
    std::string id = "extra-9p-" + fs.tag;
    // Sources on several host file systems keep distinct inode numbers by remapping.
    args->add("-fsdev", Props("local")
                            .set("id", id)
                            .set("path", fs.source)
                            .set("security_model", "none")
                            .set("multidevs", "remap"));
    args->device(virtio_device(build, "virtio-9p").set("fsdev", id).set("mount_tag", fs.tag));
  }
}

}  // namespace kata::hypervisor::qemu
