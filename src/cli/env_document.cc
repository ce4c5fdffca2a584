#include "cli/env_document.h"

#include <cstdio>

#include "cli/version_text.h"
#include "config/keys.h"
#include "runtime/sandbox_paths.h"
#include "version.h"

namespace kata::cli {
namespace {

using nlohmann::ordered_json;

constexpr char kFormatVersion[] = "1.0.27";

// The word of an enumeration, as the file would hold it.
std::string word(std::string_view name, std::span<const config::Key> keys, config::Config& values) {
  std::string text = config::show(*config::find_key(keys, name), values);
  return text.size() >= 2 ? text.substr(1, text.size() - 2) : text;
}

ordered_json hypervisor_table(config::LoadedConfig& loaded, const EnvInput& input) {
  const config::HypervisorConfig& vm = loaded.config.hypervisor;
  const bool qemu = vm.kind == config::HypervisorKind::kQemu;
  return {
      {"MachineType", vm.machine_type.empty() && qemu ? "q35" : vm.machine_type},
      {"Version", input.vmm_version},
      {"Path", vm.path},
      {"BlockDeviceDriver",
       vm.block_device_driver.empty() ? "virtio-scsi" : vm.block_device_driver},
      {"EntropySource", vm.entropy_source},
      {"SharedFS", word("shared_fs", config::hypervisor_keys(), loaded.config)},
      {"VirtioFSDaemon", vm.virtio_fs_daemon},
      {"SocketPath", input.root ? std::string(runtime::kVmRoot) + "/{ID}/vsock.sock" : "unknown"},
      {"Msize9p", vm.msize_9p},
      {"MemorySlots", vm.memory_slots},
      {"HotPlugVFIO", vm.hot_plug_vfio},
      {"ColdPlugVFIO", vm.cold_plug_vfio},
      {"PCIeRootPort", vm.pcie_root_port},
      {"PCIeSwitchPort", vm.pcie_switch_port},
      {"Debug", vm.enable_debug},
      {"SecurityInfo",
       {{"Rootless", vm.rootless},
        {"DisableSeccomp", vm.disable_seccomp},
        {"GuestHookPath", vm.guest_hook_path},
        {"EnableAnnotations", vm.enable_annotations},
        {"ConfidentialGuest", vm.confidential_guest}}},
  };
}

ordered_json version_table() {
  unsigned major = 0, minor = 0, patch = 0;
  sscanf(kCompatVersion, "%u.%u.%u", &major, &minor, &patch);
  return {{"OCI", kOciVersion},
          {"Version",
           {{"Semver", kCompatVersion},
            {"Commit", kCommit},
            {"Major", major},
            {"Minor", minor},
            {"Patch", patch}}}};
}

ordered_json runtime_table(const config::LoadedConfig& loaded, const EnvInput& input) {
  const config::RuntimeConfig& runtime = loaded.config.runtime;
  return {{"Path", input.program},
          {"GuestSeLinuxLabel", runtime.guest_selinux_label},
          {"Experimental", runtime.experimental},
          {"Debug", runtime.enable_debug},
          {"Trace", runtime.enable_tracing},
          {"DisableGuestSeccomp", runtime.disable_guest_seccomp},
          {"DisableNewNetNs", runtime.disable_new_netns},
          {"SandboxCgroupOnly", runtime.sandbox_cgroup_only},
          {"Config", {{"Path", loaded.path}}},
          {"Version", version_table()}};
}

ordered_json host_table(const EnvInput& input) {
  const HostFacts& host = input.host;
  return {{"AvailableGuestProtections", input.protections},
          {"Kernel", host.kernel},
          {"Architecture", host.architecture},
          {"VMContainerCapable", input.mode.kind != VmMode::Kind::kNone},
          {"SupportVSocks", true},  // the kernel's or our own
          {"Accelerator", input.mode.name()},
          {"AcceleratorReason", input.mode.reason},
          {"Distro", {{"Name", host.distro_name}, {"Version", host.distro_version}}},
          {"CPU", {{"Vendor", host.cpu_vendor}, {"Model", host.cpu_model}, {"CPUs", host.cpus}}},
          {"Memory",
           {{"Total", host.memory_total},
            {"Free", host.memory_free},
            {"Available", host.memory_available}}}};
}

void write_table(const ordered_json& table, const std::string& name, int depth, std::string& text) {
  const std::string indent(2 * static_cast<size_t>(depth), ' ');
  for (const auto& [key, value] : table.items()) {
    if (value.is_object()) continue;
    // JSON's strings, numbers, booleans and lists of them are TOML's too.
    text += indent + key + " = " +
            value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
  for (const auto& [key, value] : table.items()) {
    if (!value.is_object()) continue;
    const std::string full = name.empty() ? key : name + "." + key;
    if (depth == 0 && !text.empty()) text += "\n";
    text += indent + "[" + full + "]\n";
    write_table(value, full, depth + 1, text);
  }
}

}  // namespace

ordered_json env_document(config::LoadedConfig& loaded, const EnvInput& input) {
  const config::Config& values = loaded.config;
  return {
      {"Kernel",
       {{"Path", values.hypervisor.kernel}, {"Parameters", values.hypervisor.kernel_params}}},
      {"Meta", {{"Version", kFormatVersion}}},
      {"Image", {{"Path", values.hypervisor.image}}},
      {"Initrd", {{"Path", values.hypervisor.initrd}}},
      {"Hypervisor", hypervisor_table(loaded, input)},
      {"Runtime", runtime_table(loaded, input)},
      {"Host", host_table(input)},
      {"Agent", {{"Debug", values.agent.enable_debug}, {"Trace", values.agent.enable_tracing}}},
  };
}

std::string toml_text(const ordered_json& document) {
  std::string text;
  write_table(document, "", 0, text);
  return text;
}

}  // namespace kata::cli
