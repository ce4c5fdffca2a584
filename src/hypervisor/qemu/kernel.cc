#include "hypervisor/kernel_params.h"
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

void add_base(KernelParams* params) {
  params->add({"tsc=reliable", "no_timer_check", "rcupdate.rcu_expedited=1", "i8042.direct=1",
               "i8042.dumbkbd=1", "i8042.nopnp=1", "i8042.noaux=1", "noreplace-smp", "reboot=k",
               "cryptomgr.notests", "net.ifnames=0", "pci=lastbus=0"});
}

// What saves boot time or memory and costs nothing (facts/guest-kernel.md section 1.3).
void add_savings(const Build& build, KernelParams* params) {
  params->add({"dummy.numdummies=0", "ifb.numifbs=0"});
  // Else units of per-CPU memory are 2 MiB, and memory accounting keeps 4 MiB of books for each
  // chunk of them.
  params->add({"percpu_alloc=page"});
  // Room for bounce buffers is 64 MiB of guest memory that virtio without an IOMMU never uses.
  if (!build.config.iommu && !build.config.iommu_platform && !build.config.vfio) {
    params->set("swiotlb", "noforce");
  }
  if (!build.tcg()) return;
  if (build.plan.tsc_khz != 0) params->set("tsc_early_khz", std::to_string(build.plan.tsc_khz));
  // TCG has no TSC deadline timer, so the kernel would measure the local APIC for 0.2 s. microvm
  // has no other timer.
  if (!build.microvm()) params->add({"nolapic_timer"});
}

}  // namespace

void add_kernel(const Build& build, Arguments* args) {
  const VmConfig& config = build.config;
  KernelParams params;
  add_base(&params);
  add_savings(build, &params);
  if (!config.image.path.empty()) add_root_params(config.image, build.nvdimm(), &params);
  if (config.iommu) params.add({"intel_iommu=on", "iommu=pt"});
  if (config.legacy_serial) {
    params.add({"console=ttyS0"});
  } else {
    params.add({"console=hvc0", "console=hvc1"});
  }
  add_verbosity_params(config, &params);
  params.set("panic", "1");
  params.set("nr_cpus", std::to_string(std::max(config.vcpus, config.max_vcpus)));
  add_service_params(config, &params);
  for (const auto& word : config.kernel_params) params.add_override(word);
  args->add("-kernel", config.kernel);
  if (!config.initrd.empty()) args->add("-initrd", config.initrd);
  args->add("-append", params.text());
}

}  // namespace kata::hypervisor::qemu
