#include "base/file.h"
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

std::unexpected<Error> invalid(std::string text) {
  return fail(Code::kInvalidArgument, "QEMU configuration: " + std::move(text));
}

Status check_file(const char* what, const std::string& path) {
  if (path.empty()) return {};
  if (!path_exists(path)) return fail(Code::kNotFound, std::string(what) + " not found: " + path);
  return {};
}

Status check_guest(const VmConfig& config) {
  if (config.kernel.empty()) return invalid("no kernel");
  if (config.initrd.empty() == config.image.path.empty()) {
    return invalid("exactly one of initrd and image is needed");
  }
  TRY_STATUS(check_file("guest kernel", config.kernel));
  TRY_STATUS(check_file("guest initrd", config.initrd));
  return check_file("guest image", config.image.path);
}

Status check_shared_fs(const SharedFs& fs) {
  if (fs.kind == SharedFsKind::kVirtioFs && fs.socket_path.empty()) {
    return invalid("virtio-fs without a daemon socket");
  }
  if (fs.kind == SharedFsKind::kVirtio9p && fs.source.empty()) {
    return invalid("virtio-9p without a folder");
  }
  return {};
}

}  // namespace

Status check_config(const VmConfig& config) {
  if (config.id.empty() || config.vm_dir.empty()) return invalid("no id or no folder");
  if (config.vmm_path.empty()) return invalid("no path");
  TRY_STATUS(check_file("QEMU", config.vmm_path));
  const std::string& machine = config.machine_type;
  if (machine != "q35" && machine != "pc" && machine != "microvm") {
    return invalid("machine type " + machine + " is not supported");
  }
  TRY_STATUS(check_guest(config));
  if (config.vcpus == 0) return invalid("no vCPU");
  if (config.memory.boot < 64) return invalid("less than 64 MiB of memory");
  if (config.pci_bridges > 5) return invalid("more than 5 PCI bridges");
  if (config.pcie_root_ports > 16) return invalid("more than 16 PCIe root ports");
  for (const NetDevice& net : config.nets) {
    if (net.tap_fds.empty()) return invalid("network device " + net.id + " without a tap");
  }
  return check_shared_fs(config.shared_fs);
}

}  // namespace kata::hypervisor::qemu
