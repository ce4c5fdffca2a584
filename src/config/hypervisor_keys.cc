#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "config/key_macros.h"

// Rows of [hypervisor.<name>]: facts/configuration.md section 3, both dialects, one group per
// member group of HypervisorConfig.
namespace kata::config {
namespace {

using enum Effect;

constexpr std::string_view kAccelWords[] = {"auto", "kvm", "tcg"};
constexpr std::string_view kSharedFsWords[] = {"virtio-fs", "virtio-9p", "virtio-fs-nydus",
                                               "inline-virtio-fs", "none"};
constexpr std::string_view kRootfsWords[] = {"ext4", "xfs", "erofs"};
constexpr std::string_view kCacheWords[] = {"never", "metadata", "auto", "always", "none"};
constexpr std::string_view kAioWords[] = {"threads", "native", "io_uring"};
constexpr std::string_view kBlockWords[] = {"virtio-scsi",     "virtio-blk",     "virtio-mmio",
                                            "nvdimm",          "virtio-blk-ccw", "virtio-blk-pci",
                                            "virtio-blk-mmio", "virtio-pmem",    ""};
constexpr std::string_view kRootfsDriverWords[] = {"virtio-pmem", "virtio-blk-pci",
                                                   "virtio-blk-mmio", "virtio-blk-ccw", ""};
constexpr std::string_view kPortWords[] = {"no-port", "bridge-port", "root-port", "switch-port"};
constexpr std::string_view kMonitorWords[] = {"hmp", "qmp", "qmp-pretty", ""};
constexpr std::string_view kHugepageWords[] = {"hugetlbfs", "thp"};

constexpr Key kAssets[] = {
    {.name = "path", .field = KATA_HV(path), .zero_is_default = true, .is_file = true},
    {.name = "kernel", .field = KATA_HV(kernel), .zero_is_default = true, .is_file = true},
    {.name = "image", .field = KATA_HV(image), .is_file = true},
    {.name = "initrd", .field = KATA_HV(initrd), .is_file = true},
    {.name = "firmware", .field = KATA_HV(firmware), .is_file = true},
    {.name = "firmware_volume", .field = KATA_HV(firmware_volume), .is_file = true},
    {.name = "jailer_path", .field = KATA_HV(jailer_path), .effect = kAccepted},
    {.name = "ctlpath", .field = KATA_HV(ctlpath), .effect = kAccepted},
    {.name = "rootfs_type",
     .field = KATA_HV(rootfs_type),
     .words = kRootfsWords,
     .zero_is_default = true},
    {.name = "kernel_params", .field = KATA_HV(kernel_params)},
    {.name = "kernel_verity_params", .field = KATA_HV(kernel_verity_params)},
    {.name = "pflashes", .field = KATA_HV(pflashes)},
    {.name = "guest_extension_images", .effect = kAccepted},
};

constexpr Key kMachine[] = {
    {.name = "accel",
     .field = KATA_HV_CHOICE(accel),
     .words = kAccelWords,
     .zero_is_default = true},
    {.name = "machine_type", .field = KATA_HV(machine_type)},
    {.name = "machine_accelerators", .field = KATA_HV(machine_accelerators)},
    {.name = "cpu_features", .field = KATA_HV(cpu_features)},
    {.name = "seccompsandbox", .field = KATA_HV(seccompsandbox)},
    {.name = "seccomp_sandbox", .field = KATA_HV(seccompsandbox)},
    {.name = "rootless", .field = KATA_HV(rootless), .effect = kAccepted},
    {.name = "rootless_user", .effect = kAccepted},
    {.name = "confidential_guest", .field = KATA_HV(confidential_guest), .effect = kAccepted},
    {.name = "disable_nesting_checks",
     .field = KATA_HV(disable_nesting_checks),
     .effect = kAccepted},
    {.name = "disable_nested_virtualization", .effect = kAccepted},
    {.name = "enable_iommu", .field = KATA_HV(enable_iommu)},
    {.name = "enable_iommu_platform", .field = KATA_HV(enable_iommu_platform)},
    {.name = "use_legacy_serial", .field = KATA_HV(use_legacy_serial)},
    {.name = "entropy_source", .field = KATA_HV(entropy_source), .zero_is_default = true},
    {.name = "sev_snp_guest", .effect = kAccepted},
    {.name = "snp_id_block", .effect = kAccepted},
    {.name = "snp_id_auth", .effect = kAccepted},
    {.name = "snp_guest_policy", .effect = kAccepted},
    {.name = "measurement_algo", .effect = kAccepted},
    {.name = "tdx_quote_generation_service_socket_port", .effect = kAccepted},
    {.name = "initdata", .effect = kAccepted},
};

constexpr Key kSize[] = {
    {.name = "default_vcpus",
     .field = KATA_HV(default_vcpus),
     .min = -1e6,
     .max = 1e6,
     .zero_is_default = true},
    {.name = "default_maxvcpus", .field = KATA_HV(default_maxvcpus), .max = 1e6},
    {.name = "overhead_vcpus", .field = KATA_HV(overhead_vcpus), .max = 1e6},
    {.name = "default_memory",
     .field = KATA_HV(default_memory),
     .max = kMaxMib,
     .zero_is_default = true},
    {.name = "default_maxmemory", .field = KATA_HV(default_maxmemory), .max = kMaxMib},
    {.name = "overhead_memory", .field = KATA_HV(overhead_memory), .max = kMaxMib},
    {.name = "memory_slots", .field = KATA_HV(memory_slots), .max = 256, .zero_is_default = true},
    {.name = "memory_offset", .field = KATA_HV(memory_offset), .effect = kAccepted, .max = kMaxMib},
    {.name = "default_bridges",
     .field = KATA_HV(default_bridges),
     .max = 256,
     .zero_is_default = true},
    {.name = "enable_virtio_mem", .field = KATA_HV(enable_virtio_mem), .effect = kAccepted},
    {.name = "enable_mem_prealloc", .field = KATA_HV(enable_mem_prealloc)},
    {.name = "enable_hugepages", .field = KATA_HV(enable_hugepages)},
    {.name = "hugepage_type",
     .field = KATA_HV(hugepage_type),
     .effect = kAccepted,
     .words = kHugepageWords,
     .zero_is_default = true},
    {.name = "reclaim_guest_freed_memory", .field = KATA_HV(reclaim_guest_freed_memory)},
    {.name = "file_mem_backend", .field = KATA_HV(file_mem_backend)},
    {.name = "enable_numa", .field = KATA_HV(enable_numa), .effect = kAccepted},
    {.name = "numa_mapping", .field = KATA_HV(numa_mapping), .effect = kAccepted},
    {.name = "boot_to_be_template", .effect = kAccepted},
    {.name = "boot_from_template", .effect = kAccepted},
    {.name = "memory_path", .effect = kAccepted},
    {.name = "device_state_path", .effect = kAccepted},
};

constexpr Key kFiles[] = {
    {.name = "shared_fs",
     .field = KATA_HV_CHOICE(shared_fs),
     .words = kSharedFsWords,
     .zero_is_default = true},
    {.name = "virtio_fs_daemon", .field = KATA_HV(virtio_fs_daemon), .zero_is_default = true},
    {.name = "virtio_fs_cache",
     .field = KATA_HV(virtio_fs_cache),
     .words = kCacheWords,
     .zero_is_default = true},
    {.name = "virtio_fs_cache_size", .field = KATA_HV(virtio_fs_cache_size), .max = kMaxMib},
    {.name = "virtio_fs_is_dax", .effect = kAccepted},
    {.name = "virtio_fs_queue_size",
     .field = KATA_HV(virtio_fs_queue_size),
     .max = 32'768,
     .zero_is_default = true},
    {.name = "virtio_fs_extra_args", .field = KATA_HV(virtio_fs_extra_args)},
    {.name = "msize_9p", .field = KATA_HV(msize_9p), .max = 1 << 24, .zero_is_default = true},
    {.name = "prefetch_list_path", .effect = kAccepted},
};

constexpr Key kDisks[] = {
    {.name = "block_device_driver", .field = KATA_HV(block_device_driver), .words = kBlockWords},
    {.name = "block_device_aio",
     .field = KATA_HV(block_device_aio),
     .words = kAioWords,
     .zero_is_default = true},
    {.name = "disable_block_device_use",
     .field = KATA_HV(disable_block_device_use),
     .effect = kAccepted},
    {.name = "block_device_cache_set", .field = KATA_HV(block_device_cache_set)},
    {.name = "block_device_cache_direct", .field = KATA_HV(block_device_cache_direct)},
    {.name = "block_device_cache_noflush", .field = KATA_HV(block_device_cache_noflush)},
    {.name = "block_device_logical_sector_size",
     .field = KATA_HV(block_device_logical_sector_size),
     .max = 65'536},
    {.name = "block_device_physical_sector_size",
     .field = KATA_HV(block_device_physical_sector_size),
     .max = 65'536},
    {.name = "queue_size",
     .field = KATA_HV(queue_size),
     .effect = kAccepted,
     .max = 32'768,
     .zero_is_default = true},
    {.name = "num_queues",
     .field = KATA_HV(num_queues),
     .effect = kAccepted,
     .max = 256,
     .zero_is_default = true},
    {.name = "enable_iothreads", .field = KATA_HV(enable_iothreads)},
    {.name = "indep_iothreads", .field = KATA_HV(indep_iothreads), .max = 50},
    {.name = "disable_image_nvdimm", .field = KATA_HV(disable_image_nvdimm)},
    {.name = "vm_rootfs_driver",
     .field = KATA_HV(vm_rootfs_driver),
     .effect = kAccepted,
     .words = kRootfsDriverWords},
    {.name = "enable_vhost_user_store",
     .field = KATA_HV(enable_vhost_user_store),
     .effect = kAccepted},
    {.name = "vhost_user_store_path",
     .field = KATA_HV(vhost_user_store_path),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "vhost_user_reconnect_timeout_sec",
     .field = KATA_HV(vhost_user_reconnect_timeout_sec),
     .effect = kAccepted,
     .max = kMaxSeconds},
    {.name = "disk_rate_limiter_bw_max_rate",
     .field = KATA_HV(disk_rate_limiter_bw_max_rate),
     .effect = kAccepted},
    {.name = "disk_rate_limiter_bw_one_time_burst",
     .field = KATA_HV(disk_rate_limiter_bw_one_time_burst),
     .effect = kAccepted},
    {.name = "disk_rate_limiter_ops_max_rate",
     .field = KATA_HV(disk_rate_limiter_ops_max_rate),
     .effect = kAccepted},
    {.name = "disk_rate_limiter_ops_one_time_burst",
     .field = KATA_HV(disk_rate_limiter_ops_one_time_burst),
     .effect = kAccepted},
};

constexpr Key kNetwork[] = {
    {.name = "disable_vhost_net", .field = KATA_HV(disable_vhost_net)},
    {.name = "network_queues",
     .field = KATA_HV(network_queues),
     .max = 256,
     .zero_is_default = true},
    {.name = "rx_rate_limiter_max_rate",
     .field = KATA_HV(rx_rate_limiter_max_rate),
     .effect = kAccepted},
    {.name = "tx_rate_limiter_max_rate",
     .field = KATA_HV(tx_rate_limiter_max_rate),
     .effect = kAccepted},
    {.name = "net_rate_limiter_bw_max_rate",
     .field = KATA_HV(net_rate_limiter_bw_max_rate),
     .effect = kAccepted},
    {.name = "net_rate_limiter_bw_one_time_burst",
     .field = KATA_HV(net_rate_limiter_bw_one_time_burst),
     .effect = kAccepted},
    {.name = "net_rate_limiter_ops_max_rate",
     .field = KATA_HV(net_rate_limiter_ops_max_rate),
     .effect = kAccepted},
    {.name = "net_rate_limiter_ops_one_time_burst",
     .field = KATA_HV(net_rate_limiter_ops_one_time_burst),
     .effect = kAccepted},
    {.name = "hot_plug_vfio",
     .field = KATA_HV(hot_plug_vfio),
     .effect = kAccepted,
     .words = kPortWords,
     .zero_is_default = true},
    {.name = "cold_plug_vfio",
     .field = KATA_HV(cold_plug_vfio),
     .effect = kAccepted,
     .words = kPortWords,
     .zero_is_default = true},
    {.name = "pcie_root_port", .field = KATA_HV(pcie_root_port), .max = 16},
    {.name = "pcie_switch_port",
     .field = KATA_HV(pcie_switch_port),
     .effect = kAccepted,
     .max = 16},
};

constexpr Key kSafety[] = {
    {.name = "disable_selinux", .field = KATA_HV(disable_selinux), .effect = kAccepted},
    {.name = "disable_guest_selinux", .field = KATA_HV(disable_guest_selinux), .effect = kAccepted},
    {.name = "selinux_label", .field = KATA_HV(selinux_label)},
    {.name = "disable_seccomp", .field = KATA_HV(disable_seccomp), .effect = kAccepted},
    {.name = "enable_annotations", .field = KATA_HV(enable_annotations)},
    {.name = "valid_hypervisor_paths", .field = KATA_HV(valid_hypervisor_paths)},
    {.name = "valid_jailer_paths", .field = KATA_HV(valid_jailer_paths)},
    {.name = "valid_ctlpaths", .field = KATA_HV(valid_ctlpaths)},
    {.name = "valid_virtio_fs_daemon_paths", .field = KATA_HV(valid_virtio_fs_daemon_paths)},
    {.name = "valid_vhost_user_store_paths", .field = KATA_HV(valid_vhost_user_store_paths)},
    {.name = "valid_entropy_sources", .field = KATA_HV(valid_entropy_sources)},
    {.name = "valid_file_mem_backends", .field = KATA_HV(valid_file_mem_backends)},
};

constexpr Key kObservation[] = {
    {.name = "enable_debug", .field = KATA_HV(enable_debug)},
    {.name = "extra_monitor_socket",
     .field = KATA_HV(extra_monitor_socket),
     .effect = kAccepted,
     .words = kMonitorWords},
    {.name = "hypervisor_loglevel",
     .field = KATA_HV(hypervisor_loglevel),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "log_level", .effect = kAccepted},
    {.name = "guest_memory_dump_path",
     .field = KATA_HV(guest_memory_dump_path),
     .effect = kAccepted},
    {.name = "guest_memory_dump_paging",
     .field = KATA_HV(guest_memory_dump_paging),
     .effect = kAccepted},
    {.name = "guest_hook_path", .field = KATA_HV(guest_hook_path)},
    {.name = "enable_guest_swap", .field = KATA_HV(enable_guest_swap), .effect = kAccepted},
    {.name = "guest_swap_path",
     .field = KATA_HV(guest_swap_path),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "guest_swap_size_percent",
     .field = KATA_HV(guest_swap_size_percent),
     .effect = kAccepted,
     .max = 10'000},
    {.name = "guest_swap_create_threshold_secs",
     .field = KATA_HV(guest_swap_create_threshold_secs),
     .effect = kAccepted,
     .max = kMaxSeconds},
    {.name = "remote_hypervisor_socket",
     .field = KATA_HV(remote_hypervisor_socket),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "remote_hypervisor_timeout",
     .field = KATA_HV(remote_hypervisor_timeout),
     .effect = kAccepted,
     .max = kMaxSeconds,
     .zero_is_default = true},
    {.name = "default_gpus", .effect = kAccepted},
    {.name = "default_gpu_model", .effect = kAccepted},
};

constexpr Key kHistory[] = {
    {.name = "use_vsock", .effect = kHistoric},
    {.name = "enable_swap", .effect = kHistoric},
    {.name = "swap", .effect = kHistoric},
    {.name = "hotplug_vfio_on_root_bus", .effect = kHistoric},
    {.name = "vfio_mode", .effect = kHistoric},
    {.name = "sev_guest", .effect = kHistoric},
    {.name = "sgx_epc_size", .effect = kHistoric},
    {.name = "valid_ctlpath", .effect = kHistoric},
};

// One contiguous table out of the groups.
constexpr size_t kCount = std::size(kAssets) + std::size(kMachine) + std::size(kSize) +
                          std::size(kFiles) + std::size(kDisks) + std::size(kNetwork) +
                          std::size(kSafety) + std::size(kObservation) + std::size(kHistory);
constexpr auto kAll = [] {
  std::array<Key, kCount> all{};
  auto end = all.begin();
  for (std::span<const Key> group :
       {std::span<const Key>(kAssets), std::span<const Key>(kMachine), std::span<const Key>(kSize),
        std::span<const Key>(kFiles), std::span<const Key>(kDisks), std::span<const Key>(kNetwork),
        std::span<const Key>(kSafety), std::span<const Key>(kObservation),
        std::span<const Key>(kHistory)}) {
    end = std::copy(group.begin(), group.end(), end);
  }
  return all;
}();

}  // namespace

std::span<const Key> hypervisor_keys() {
  return kAll;
}

}  // namespace kata::config
