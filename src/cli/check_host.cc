#include "cli/check_host.h"

#include <algorithm>

#include "base/file.h"

namespace kata::cli {
namespace {

using State = HostItem::State;

HostItem cpu_item(const HostFacts& host) {
  if (host.hardware_virtualization) {
    return {State::kGood, "cpu", "hardware virtualization (vmx or svm) is there", ""};
  }
  return {State::kWarning, "cpu", "no hardware virtualization (flag vmx or svm)",
          host.is_guest ? "switch on nested virtualization for this VM on its own host"
                        : "switch on virtualization in the firmware's set-up"};
}

HostItem mode_item(const VmMode& mode) {
  const std::string text = std::string(mode.name()) + ": " + mode.reason;
  switch (mode.kind) {
    case VmMode::Kind::kKvm:
    case VmMode::Kind::kNestedKvm:
      return {State::kGood, "accelerator", text, ""};
    case VmMode::Kind::kTcg:
      return {State::kWarning, "accelerator", text,
              "guests run several times slower; `kata-runtime check --require-kvm` makes it an "
              "error, accel = \"kvm\" in the configuration forbids it"};
    case VmMode::Kind::kNone:
      break;
  }
  return {State::kBad, "accelerator", text,
          "repair KVM, or set accel = \"auto\" or \"tcg\" in the configuration"};
}

HostItem vmm_item(const std::string& vmm) {
  if (!vmm.empty()) return {State::kGood, "vmm", vmm, ""};
  return {State::kBad, "vmm", "no QEMU found",
          "install it (Debian: apt install qemu-system-x86) or name it in "
          "[hypervisor.qemu] path"};
}

HostItem virtiofsd_item(const HostFindings& found) {
  if (!found.wants_virtiofsd) return {State::kGood, "virtiofsd", "not needed", ""};
  if (!found.virtiofsd.empty()) return {State::kGood, "virtiofsd", found.virtiofsd, ""};
  return {State::kBad, "virtiofsd", "no virtiofsd found",
          "install it (Debian: apt install qemu-system-common), or set shared_fs = \"virtio-9p\""};
}

HostItem device_item(bool there, const std::string& name, const std::string& use,
                     const std::string& fix, State otherwise) {
  const std::string path = "/dev/" + name;
  if (there) return {State::kGood, name, path + " is there", ""};
  return {otherwise, name, path + " is missing: " + use, fix};
}

}  // namespace

bool HostReport::capable() const {
  return std::ranges::none_of(items,
                              [](const HostItem& item) { return item.state == State::kBad; });
}

bool HostReport::has_warnings() const {
  return std::ranges::any_of(items,
                             [](const HostItem& item) { return item.state == State::kWarning; });
}

HostReport judge_host(const HostFacts& host, VmMode mode, const HostFindings& found) {
  HostReport report{.mode = std::move(mode), .items = {}};
  report.items = {
      cpu_item(host),
      mode_item(report.mode),
      vmm_item(found.vmm),
      virtiofsd_item(found),
      device_item(found.tun, "net/tun", "no guest can have a network", "modprobe tun", State::kBad),
      device_item(found.vhost_net, "vhost-net", "the guest's network is slower",
                  "modprobe vhost_net", State::kWarning),
      device_item(found.vhost_vsock, "vhost-vsock", "the runtime's own vsock device is used",
                  "nothing has to be done; modprobe vhost_vsock gives the kernel's one",
                  State::kGood),
  };
  return report;
}

HostReport check_host(const HostFacts& host, const config::LoadedConfig* loaded) {
  HostFindings found;
  found.vmm = find_vmm(loaded);
  found.virtiofsd = find_virtiofsd(loaded);
  config::Accel accel = config::Accel::kAuto;
  if (loaded) {
    const auto& vm = loaded->config.hypervisor;
    accel = vm.accel;
    found.wants_virtiofsd = vm.shared_fs == config::SharedFs::kVirtioFs;
  }
  found.tun = path_exists("/dev/net/tun");
  found.vhost_net = path_exists("/dev/vhost-net");
  found.vhost_vsock = path_exists("/dev/vhost-vsock");
  return judge_host(host, find_mode(host, accel), found);
}

}  // namespace kata::cli
