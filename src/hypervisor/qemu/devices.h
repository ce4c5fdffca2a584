#pragma once

#include <cstdint>

#include "hypervisor/accel.h"
#include "hypervisor/qemu/arguments.h"
#include "hypervisor/vm_config.h"

// The command line by device families, one file each. Every function appends its part and reads
// nothing but its arguments. Option set: facts/runtime-behaviour.md section 8.1,
// facts/hypervisors.md section 2.1.
namespace kata::hypervisor::qemu {

// What the driver found out and opened before the start.
struct LaunchPlan {
  Accelerator accel = Accelerator::kTcg;
  uint64_t tsc_khz = 0;  // 0 = unknown
  std::string uuid;
  int qmp_fd = -1;      // connected
  int console_fd = -1;  // connected
  enum class Vsock { kVhostUser, kKernel } vsock = Vsock::kVhostUser;
  int vsock_fd = -1;  // connected front end, or open /dev/vhost-vsock
  uint32_t guest_cid = 3;
};

struct Build {
  const VmConfig& config;
  const LaunchPlan& plan;

  bool tcg() const { return plan.accel == Accelerator::kTcg; }
  bool microvm() const { return config.machine_type == "microvm"; }
  // vhost-user devices read guest memory from other processes.
  bool shared_memory() const {
    return config.shared_fs.kind == SharedFsKind::kVirtioFs ||
           plan.vsock == LaunchPlan::Vsock::kVhostUser;
  }
  // Plugging vCPUs under TCG needs a guest kernel that believes in a known hypervisor
  // (facts/guest-kernel.md section 1.5).
  bool tcg_cpu_hotplug() const { return tcg() && config.max_vcpus > config.vcpus; }
  bool nvdimm() const {
    return !config.image.path.empty() && config.image.driver == ImageDriver::kNvdimm && !microvm();
  }
  bool memory_hotplug() const { return config.memory.max > config.memory.boot && !microvm(); }
};

// "virtio-rng-pci" or, on microvm, "virtio-rng-device"; with the properties all of them share.
Props virtio_device(const Build& build, std::string_view name);
// The same for vhost-user devices, which have no legacy form.
Props vhost_device(const Build& build, std::string_view name);

void add_machine(const Build& build, Arguments* args);
void add_cpu(const Build& build, Arguments* args);
void add_memory(const Build& build, Arguments* args);
void add_pci(const Build& build, Arguments* args);
void add_console(const Build& build, Arguments* args);
void add_image(const Build& build, Arguments* args);
void add_disks(const Build& build, Arguments* args);
void add_rng(const Build& build, Arguments* args);
void add_vsock(const Build& build, Arguments* args);
void add_shared_fs(const Build& build, Arguments* args);
void add_nets(const Build& build, Arguments* args);
void add_kernel(const Build& build, Arguments* args);

// Whether this driver can run the configuration; names the first thing that is wrong.
Status check_config(const VmConfig& config);

// The whole command line without the program's name.
Arguments build_arguments(const Build& build);

}  // namespace kata::hypervisor::qemu
