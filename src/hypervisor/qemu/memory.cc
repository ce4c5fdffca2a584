// Guest RAM and what gives it back to the host.
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

Props backend(const Build& build) {
  const MemoryConfig& memory = build.config.memory;
  std::string size = std::to_string(memory.boot) + "M";
  bool in_file = memory.hugepages || !memory.file_backend.empty();
  Props props(in_file ? "memory-backend-file" : "memory-backend-memfd");
  props.set("id", "dimm1").set("size", size);
  if (memory.hugepages) {
    props.set("mem-path", "/dev/hugepages");
  } else if (in_file) {
    props.set("mem-path", memory.file_backend);
  }
  props.flag("share", build.shared_memory() || in_file);
  // Huge pages that run out later would end the guest by SIGBUS.
  if (memory.prealloc || memory.hugepages) props.flag("prealloc", true);
  return props;
}

}  // namespace

void add_memory(const Build& build, Arguments* args) {
  const MemoryConfig& memory = build.config.memory;
  Props size(std::to_string(memory.boot) + "M");
  if (build.memory_hotplug()) {
    size.set("slots", memory.slots).set("maxmem", std::to_string(memory.max) + "M");
  }
  args->add("-m", size);
  args->add("-object", backend(build));
  if (memory.free_page_reporting) {
    args->device(virtio_device(build, "virtio-balloon")
                     .set("id", "balloon0")
                     .flag("deflate-on-oom", true)
                     .flag("free-page-reporting", true));
  }
}

}  // namespace kata::hypervisor::qemu
