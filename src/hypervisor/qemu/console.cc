#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

void add_console(const Build& build, Arguments* args) {
  args->add("-chardev", Props("socket")
                            .set("id", "charconsole0")
                            .set("fd", uint64_t(args->pass(build.plan.console_fd))));
  if (build.config.legacy_serial) {
    args->add("-serial", "chardev:charconsole0");
    return;
  }
  args->device(
      virtio_device(build, "virtio-serial").set("id", "serial0").set("max_ports", uint64_t{2}));
  args->device(Props("virtconsole").set("chardev", "charconsole0").set("id", "console0"));
}

}  // namespace kata::hypervisor::qemu
