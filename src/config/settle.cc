#include <algorithm>
#include <set>
#include <thread>

#include "config/annotation_gate.h"
#include "config/apply.h"
#include "config/extra_args.h"

namespace kata::config {
namespace {

// facts/configuration.md section 3: smaller guests do not boot upstream's images.
constexpr uint64_t kMinMemory = 256;
constexpr uint64_t kMaxBridges = 5;

bool is_sector_size(uint64_t size) {
  return size == 0 || (size >= 512 && size <= 65'536 && (size & (size - 1)) == 0);
}

Status settle_size(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  const double host_cpus = std::max(1u, std::thread::hardware_concurrency());
  const bool local = vm.kind != HypervisorKind::kRemote;
  if (vm.default_vcpus < 0 || (local && vm.default_vcpus > host_cpus)) {
    if (vm.default_vcpus > host_cpus) {
      warn(loaded, hypervisor_key(*loaded, "default_vcpus"),
           "more than this host has, using " + std::to_string(static_cast<int>(host_cpus)));
    }
    vm.default_vcpus = host_cpus;
  }
  if (local && vm.default_memory < kMinMemory) {
    warn(loaded, hypervisor_key(*loaded, "default_memory"),
         "less than 256 MiB is not enough for a guest, using 2048");
    vm.default_memory = HypervisorConfig().default_memory;
  }
  vm.default_bridges = std::min(vm.default_bridges, kMaxBridges);
  return {};
}

Status check_disks(const LoadedConfig& loaded) {
  const HypervisorConfig& vm = loaded.config.hypervisor;
  const std::string sizes = "must be 0 or a power of two from 512 to 65536";
  if (!is_sector_size(vm.block_device_logical_sector_size)) {
    return refuse(loaded, hypervisor_key(loaded, "block_device_logical_sector_size"), sizes);
  }
  if (!is_sector_size(vm.block_device_physical_sector_size)) {
    return refuse(loaded, hypervisor_key(loaded, "block_device_physical_sector_size"), sizes);
  }
  if (vm.block_device_physical_sector_size != 0 &&
      vm.block_device_logical_sector_size > vm.block_device_physical_sector_size) {
    return refuse(loaded, hypervisor_key(loaded, "block_device_logical_sector_size"),
                  "must not exceed block_device_physical_sector_size");
  }
  return {};
}

Status check_vm(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  const bool needs_root = vm.kind != HypervisorKind::kRemote && !vm.confidential_guest;
  if (needs_root && !vm.image.empty() && !vm.initrd.empty()) {
    TRY_STATUS(noted(loaded, refuse(*loaded, hypervisor_key(*loaded, "initrd"),
                                    "image and initrd are both set; keep one of them")));
  }
  if (vm.hot_plug_vfio != "no-port" && vm.cold_plug_vfio != "no-port") {
    TRY_STATUS(
        noted(loaded, refuse(*loaded, hypervisor_key(*loaded, "hot_plug_vfio"),
                             "hot_plug_vfio and cold_plug_vfio are both set; keep one of them")));
  }
  if (vm.factory.vm_cache_number > 0 && vm.kind != HypervisorKind::kQemu) {
    TRY_STATUS(
        noted(loaded, refuse(*loaded, "factory.vm_cache_number", "is available with QEMU only")));
  }
  if (auto checked = check_extra_args(vm.virtio_fs_extra_args); !checked) {
    return refuse(*loaded, hypervisor_key(*loaded, "virtio_fs_extra_args"),
                  checked.error().message());
  }
  for (const Text& pattern : vm.enable_annotations) {
    const std::string key = hypervisor_key(*loaded, "enable_annotations");
    if (pattern.empty()) warn(loaded, key, "an empty entry enables nothing");
    if (auto checked = check_annotation_pattern(pattern); !checked) {
      return refuse(*loaded, key, checked.error().message());
    }
  }
  return check_disks(*loaded);
}

// A default of the kind of VMM rather than of the key.
void settle_shared_fs(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  const std::string key = hypervisor_key(*loaded, "shared_fs");
  if (loaded->origins.contains(key)) {
    if (vm.shared_fs == SharedFs::kVirtioFsNydus)
      warn(loaded, key, "has no effect yet", Finding::Kind::kNotEffective);
    return;
  }
  if (vm.kind == HypervisorKind::kFirecracker) vm.shared_fs = SharedFs::kNone;
  if (vm.kind == HypervisorKind::kDragonball) vm.shared_fs = SharedFs::kInlineVirtioFs;
}

Status check_runtime(const LoadedConfig& loaded) {
  const RuntimeConfig& runtime = loaded.config.runtime;
  if (runtime.disable_new_netns && runtime.internetworking_model != NetworkModel::kNone) {
    return refuse(loaded, "runtime.disable_new_netns",
                  "needs internetworking_model = \"none\" beside it");
  }
  std::set<std::string> names;
  for (const Text& entry : runtime.sandbox_bind_mounts) {
    std::string path = entry;
    if (path.ends_with(":ro") || path.ends_with(":rw")) path.resize(path.size() - 3);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (!path.starts_with('/')) {
      return refuse(loaded, "runtime.sandbox_bind_mounts", "\"" + entry + "\" is not absolute");
    }
    if (!names.insert(path.substr(path.rfind('/') + 1)).second) {
      return refuse(loaded, "runtime.sandbox_bind_mounts",
                    "\"" + entry + "\" has the same last part as another entry");
    }
  }
  return {};
}

}  // namespace

Status settle(LoadedConfig* loaded) {
  AgentConfig& agent = loaded->config.agent;
  agent.dial_timeout = std::max(agent.dial_timeout, agent.reconnect_timeout);
  if (loaded->config.hypervisor.selinux_label.empty()) {
    loaded->config.hypervisor.selinux_label = loaded->config.runtime.guest_selinux_label;
  }
  settle_shared_fs(loaded);
  TRY_STATUS(noted(loaded, settle_size(loaded)));
  TRY_STATUS(noted(loaded, check_vm(loaded)));
  return noted(loaded, check_runtime(*loaded));
}

}  // namespace kata::config
