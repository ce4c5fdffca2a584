// The guest's root image as nvdimm or disk.
#include <sys/stat.h>

#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

void add_image(const Build& build, Arguments* args) {
  const GuestImage& image = build.config.image;
  if (image.path.empty()) return;
  if (build.nvdimm()) {
    struct stat info {};
    uint64_t size = stat(image.path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
    args->add("-object", Props("memory-backend-file")
                             .set("id", "mem0")
                             .set("mem-path", image.path)
                             .set("size", size)
                             .flag("readonly", true));
    // The guest must not write what other guests share.
    args->device(Props("nvdimm").set("id", "nv0").set("memdev", "mem0").flag("unarmed", true));
    return;
  }
  args->add("-drive", Props("id=image-root")
                          .set("file", image.path)
                          .set("format", "raw")
                          .set("if", "none")
                          .set("aio", "threads")
                          .flag("readonly", true));
  args->device(virtio_device(build, "virtio-blk")
                   .set("id", "image-root-dev")
                   .set("drive", "image-root")
                   .flag("share-rw", true));
}

}  // namespace kata::hypervisor::qemu
