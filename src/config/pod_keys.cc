#include "config/pod_keys.h"

// facts/configuration.md section 8.2, as far as the values are plain.
namespace kata::config {
namespace {

using H = HypervisorConfig;

constexpr PodKey kHypervisor[] = {
    {.annotation = "path", .valid = &H::valid_hypervisor_paths},
    {.annotation = "jailer_path", .valid = &H::valid_jailer_paths},
    {.annotation = "ctlpath", .valid = &H::valid_ctlpaths},
    {.annotation = "virtio_fs_daemon", .valid = &H::valid_virtio_fs_daemon_paths},
    {.annotation = "vhost_user_store_path", .valid = &H::valid_vhost_user_store_paths},
    {.annotation = "entropy_source", .valid = &H::valid_entropy_sources},
    {.annotation = "file_mem_backend", .valid = &H::valid_file_mem_backends},
    {.annotation = "kernel"},
    {.annotation = "image"},
    {.annotation = "initrd"},
    {.annotation = "firmware"},
    {.annotation = "firmware_volume"},
    {.annotation = "kernel_params"},
    {.annotation = "kernel_verity_params"},
    {.annotation = "machine_type"},
    {.annotation = "machine_accelerators"},
    {.annotation = "cpu_features"},
    {.annotation = "default_vcpus"},
    {.annotation = "default_max_vcpus", .key = "default_maxvcpus"},
    {.annotation = "default_memory", .min = 256},
    {.annotation = "memory_slots", .min = 1},
    {.annotation = "memory_offset", .min = 1},
    {.annotation = "enable_virtio_mem"},
    {.annotation = "enable_mem_prealloc"},
    {.annotation = "reclaim_guest_freed_memory"},
    {.annotation = "enable_hugepages"},
    {.annotation = "hugepage_type"},
    {.annotation = "enable_iommu"},
    {.annotation = "enable_iommu_platform"},
    {.annotation = "enable_guest_swap"},
    {.annotation = "rootless"},
    {.annotation = "numa_mapping"},
    {.annotation = "block_device_driver"},
    {.annotation = "block_device_aio"},
    {.annotation = "disable_block_device_use"},
    {.annotation = "block_device_cache_set"},
    {.annotation = "block_device_cache_direct"},
    {.annotation = "block_device_cache_noflush"},
    {.annotation = "enable_iothreads"},
    {.annotation = "indep_iothreads", .min = 1},
    {.annotation = "blk_logical_sector_size", .key = "block_device_logical_sector_size"},
    {.annotation = "blk_physical_sector_size", .key = "block_device_physical_sector_size"},
    {.annotation = "block_device_num_queues", .key = "num_queues"},
    {.annotation = "block_device_queue_size", .key = "queue_size"},
    {.annotation = "network_queues"},
    {.annotation = "shared_fs"},
    {.annotation = "virtio_fs_cache"},
    {.annotation = "virtio_fs_cache_size"},
    {.annotation = "virtio_fs_extra_args"},
    {.annotation = "msize_9p", .min = 1},
    {.annotation = "disable_vhost_net"},
    {.annotation = "rx_rate_limiter_max_rate"},
    {.annotation = "tx_rate_limiter_max_rate"},
    {.annotation = "disable_image_nvdimm"},
    {.annotation = "use_legacy_serial"},
    {.annotation = "enable_vhost_user_store"},
    {.annotation = "vhost_user_reconnect_timeout_sec"},
    {.annotation = "guest_hook_path"},
    {.annotation = "hot_plug_vfio"},
    {.annotation = "cold_plug_vfio"},
    {.annotation = "pcie_root_port", .min = 1},
    {.annotation = "pcie_switch_port", .min = 1},
};

constexpr PodKey kAgent[] = {
    {.annotation = "kernel_modules"},      {.annotation = "enable_tracing"},
    {.annotation = "container_pipe_size"}, {.annotation = "resource_view"},
    {.annotation = "cdh_api_timeout_ms"},
};

constexpr PodKey kRuntime[] = {
    {.annotation = "disable_guest_seccomp"},
    {.annotation = "sandbox_cgroup_only"},
    {.annotation = "enable_pprof"},
    {.annotation = "disable_new_netns"},
    {.annotation = "experimental"},
    {.annotation = "internetworking_model"},
    {.annotation = "vfio_mode"},
    {.annotation = "create_container_timeout", .min = 1},
    {.annotation = "enable_vcpus_pinning"},
    {.annotation = "experimental_force_guest_pull"},
};

}  // namespace

std::span<const PodKey> pod_hypervisor_keys() {
  return kHypervisor;
}
std::span<const PodKey> pod_agent_keys() {
  return kAgent;
}
std::span<const PodKey> pod_runtime_keys() {
  return kRuntime;
}

}  // namespace kata::config
