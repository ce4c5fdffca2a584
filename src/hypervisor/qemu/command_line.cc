#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

Arguments build_arguments(const Build& build) {
  Arguments args;
  add_machine(build, &args);
  add_cpu(build, &args);
  add_memory(build, &args);
  // Bridges before all other devices: they keep their slots.
  add_pci(build, &args);
  add_console(build, &args);
  add_image(build, &args);
  add_disks(build, &args);
  add_rng(build, &args);
  add_vsock(build, &args);
  add_shared_fs(build, &args);
  add_nets(build, &args);
  add_kernel(build, &args);
  return args;
}

}  // namespace kata::hypervisor::qemu
