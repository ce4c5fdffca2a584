// Machine, firmware, clock, process-wide switches, monitor.
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

// All that QEMU's filter can deny; with spawn=deny, `exec:` migration is impossible.
constexpr std::string_view kStrictSeccomp =
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

Props machine(const Build& build) {
  const VmConfig& config = build.config;
  Props props(config.machine_type);
  if (!build.tcg()) props.set("accel", "kvm");
  if (build.nvdimm()) props.flag("nvdimm", true);
  if (config.iommu && !build.tcg()) props.set("kernel_irqchip", "split");
  if (config.machine_type == "q35") {
    // Devices no guest of ours uses; each costs boot time.
    props.flag("smbus", false).flag("sata", false).flag("hpet", false);
    props.flag("vmport", build.tcg_cpu_hotplug());
  }
  props.flag("dump-guest-core", false);
  props.set("memory-backend", "dimm1");
  return props.append(config.machine_options);
}

void add_extra_monitor(const VmConfig& config, Arguments* args) {
  if (config.extra_monitor.empty()) return;
  args->add("-chardev", Props("socket")
                            .set("id", "extra-monitor")
                            .set("path", config.vm_dir + "/extra-monitor.sock")
                            .flag("server", true)
                            .flag("wait", false));
  Props monitor("chardev=extra-monitor");
  monitor.set("mode", config.extra_monitor == "hmp" ? "readline" : "control");
  if (config.extra_monitor == "qmp-pretty") monitor.flag("pretty", true);
  args->add("-mon", monitor);
}

}  // namespace

void add_machine(const Build& build, Arguments* args) {
  const VmConfig& config = build.config;
  args->add("-name", Props("sandbox-" + config.id).set("debug-threads", "on"));
  args->add("-uuid", build.plan.uuid);
  args->add("-machine", machine(build));
  // The translation buffer may otherwise grow to 1 GiB of host memory.
  if (build.tcg()) args->add("-accel", "tcg,tb-size=256");
  if (build.microvm()) {
    // vhost-user devices need the modern transport; the default hangs their drivers.
    args->add("-global", "virtio-mmio.force-legacy=false");
  }
  if (build.tcg_cpu_hotplug()) args->add("-smbios", "type=1,serial=VMware-1");
  if (!config.firmware.empty() && !config.firmware_volume.empty()) {
    args->add("-drive", Props("if=pflash")
                            .set("format", "raw")
                            .flag("readonly", true)
                            .set("file", config.firmware));
    args->add("-drive",
              Props("if=pflash").set("format", "raw").set("file", config.firmware_volume));
  } else if (!config.firmware.empty()) {
    args->add("-bios", config.firmware);
  }
  for (const auto& path : config.pflashes) args->add("-pflash", path);
  args->add("-rtc", "base=utc,driftfix=slew,clock=host");
  if (!build.microvm()) args->add("-global", "kvm-pit.lost_tick_policy=discard");
  for (const char* option : {"-no-user-config", "-nodefaults", "-nographic", "--no-reboot"}) {
    args->add(option);
  }
  args->add("-vga", "none");
  if (config.seccomp != "off") {
    args->add("-sandbox", config.seccomp.empty() ? kStrictSeccomp : config.seccomp);
  }
  args->add("-pidfile", config.vm_dir + "/pid");
  args->add("-chardev",
            Props("socket").set("id", "qmp").set("fd", uint64_t(args->pass(build.plan.qmp_fd))));
  args->add("-mon", "chardev=qmp,mode=control");
  add_extra_monitor(config, args);
}

}  // namespace kata::hypervisor::qemu
