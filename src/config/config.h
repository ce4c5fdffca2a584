#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The effective configuration as plain values. The initialisers are the documented defaults of
// absent keys: a file that names only a kernel and an initrd is complete. Members are named like
// their keys (facts/configuration.md sections 3 to 6); the tables in *_keys.cc connect the two.
namespace kata::config {

using Text = std::string;
using TextList = std::vector<std::string>;
using Millis = std::chrono::milliseconds;

enum class HypervisorKind {
  kQemu,
  kCloudHypervisor,
  kFirecracker,
  kStratovirt,
  kDragonball,
  kRemote,
  kOpenvmm,
};
// "qemu", "clh", "firecracker", "stratovirt", "dragonball", "remote", "openvmm".
std::string_view hypervisor_name(HypervisorKind kind);

// The orders of these enumerations are the orders of the words in the key tables.
enum class Accel { kAuto, kKvm, kTcg };
enum class SharedFs { kVirtioFs, kVirtio9p, kVirtioFsNydus, kInlineVirtioFs, kNone };
enum class NetworkModel { kTcFilter, kMacvtap, kNone, kL3Forwarding };
enum class EmptyDirMode { kSharedFs, kBlockEncrypted, kBlockPlain };

struct FactoryConfig {
  bool enable_template = false;
  Text template_path = "/run/vc/vm/template";
  uint64_t vm_cache_number = 0;
  Text vm_cache_endpoint = "/var/run/kata-containers/cache.sock";
};

struct HypervisorConfig {
  HypervisorKind kind = HypervisorKind::kQemu;

  // Assets.
  Text path;  // VMM program; empty until load() filled in the built-in place
  Text kernel;
  Text image;
  Text initrd;
  Text firmware;
  Text firmware_volume;
  Text jailer_path;
  Text ctlpath;
  Text rootfs_type = "ext4";
  Text kernel_params;
  Text kernel_verity_params;
  TextList pflashes;

  // Machine.
  Accel accel = Accel::kAuto;
  Text machine_type;  // empty = the driver's own choice (q35 for QEMU on x86-64)
  Text machine_accelerators;
  Text cpu_features;
  // On unless a file empties it: helpers are confined by default (CVE-2026-47243).
  Text seccompsandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
  bool rootless = false;
  bool confidential_guest = false;
  bool disable_nesting_checks = false;
  bool enable_iommu = false;
  bool enable_iommu_platform = false;
  bool use_legacy_serial = false;
  Text entropy_source = "/dev/urandom";

  // Size.
  double default_vcpus = 1;       // boot vCPUs, fractions are summed with the workload's
  uint64_t default_maxvcpus = 0;  // 0 = as many as the host has
  double overhead_vcpus = 0;
  uint64_t default_memory = 2048;  // MiB
  uint64_t default_maxmemory = 0;  // MiB, 0 = as much as the host has
  uint64_t overhead_memory = 0;    // MiB
  uint64_t memory_slots = 10;
  uint64_t memory_offset = 0;  // MiB
  uint64_t default_bridges = 1;
  bool enable_virtio_mem = false;
  bool enable_mem_prealloc = false;
  bool enable_hugepages = false;
  Text hugepage_type = "hugetlbfs";
  bool reclaim_guest_freed_memory = false;
  Text file_mem_backend;  // directory of the file behind guest memory; empty = memfd
  bool enable_numa = false;
  TextList numa_mapping;

  // Guest files.
  SharedFs shared_fs = SharedFs::kVirtioFs;
  Text virtio_fs_daemon;  // empty until load() filled in the first built-in place that exists
  Text virtio_fs_cache = "never";
  uint64_t virtio_fs_cache_size = 0;  // MiB of DAX window
  uint64_t virtio_fs_queue_size = 1024;
  TextList virtio_fs_extra_args;
  uint64_t msize_9p = 8192;  // bytes

  // Disks.
  Text block_device_driver;  // empty = the driver's own choice
  Text block_device_aio = "io_uring";
  bool disable_block_device_use = false;
  bool block_device_cache_set = false;
  bool block_device_cache_direct = false;
  bool block_device_cache_noflush = false;
  uint64_t block_device_logical_sector_size = 0;
  uint64_t block_device_physical_sector_size = 0;
  uint64_t queue_size = 128;
  uint64_t num_queues = 1;
  bool enable_iothreads = false;
  uint64_t indep_iothreads = 0;
  bool disable_image_nvdimm = false;
  Text vm_rootfs_driver;
  bool enable_vhost_user_store = false;
  Text vhost_user_store_path = "/var/run/kata-containers/vhost-user";
  uint64_t vhost_user_reconnect_timeout_sec = 0;
  uint64_t disk_rate_limiter_bw_max_rate = 0;
  uint64_t disk_rate_limiter_bw_one_time_burst = 0;
  uint64_t disk_rate_limiter_ops_max_rate = 0;
  uint64_t disk_rate_limiter_ops_one_time_burst = 0;

  // Network.
  bool disable_vhost_net = false;
  uint64_t network_queues = 1;
  uint64_t rx_rate_limiter_max_rate = 0;  // bit/s
  uint64_t tx_rate_limiter_max_rate = 0;  // bit/s
  uint64_t net_rate_limiter_bw_max_rate = 0;
  uint64_t net_rate_limiter_bw_one_time_burst = 0;
  uint64_t net_rate_limiter_ops_max_rate = 0;
  uint64_t net_rate_limiter_ops_one_time_burst = 0;

  // Pass-through.
  Text hot_plug_vfio = "no-port";
  Text cold_plug_vfio = "no-port";
  uint64_t pcie_root_port = 0;
  uint64_t pcie_switch_port = 0;

  // Safety.
  bool disable_selinux = false;
  bool disable_guest_selinux = true;
  Text selinux_label;
  bool disable_seccomp = false;
  TextList enable_annotations;
  TextList valid_hypervisor_paths;
  TextList valid_jailer_paths;
  TextList valid_ctlpaths;
  TextList valid_virtio_fs_daemon_paths;
  TextList valid_vhost_user_store_paths;
  TextList valid_entropy_sources;
  TextList valid_file_mem_backends;

  // Observation.
  bool enable_debug = false;
  Text extra_monitor_socket;
  uint64_t hypervisor_loglevel = 1;
  Text guest_memory_dump_path;
  bool guest_memory_dump_paging = false;

  // Guest.
  Text guest_hook_path;
  bool enable_guest_swap = false;
  Text guest_swap_path = "/run/kata-containers/swap";
  uint64_t guest_swap_size_percent = 100;
  uint64_t guest_swap_create_threshold_secs = 60;

  // Remote.
  Text remote_hypervisor_socket = "/run/peerpod/hypervisor.sock";
  Millis remote_hypervisor_timeout{600'000};

  FactoryConfig factory;
};

struct AgentConfig {
  bool enable_debug = false;
  bool enable_tracing = false;
  TextList kernel_modules;
  bool debug_console_enabled = false;
  // Total time in which the agent must answer, counted from the start of the VMM: the ceiling of an
  // adaptive wait, never a deadline for a guest that makes progress.
  Millis dial_timeout{45'000};
  Millis reconnect_timeout{0};  // the same in the other dialect; only lengthens dial_timeout
  Millis cdh_api_timeout{50'000};
  Millis launch_process_timeout{6'000};
  Millis health_check_request_timeout{90'000};
  Millis request_timeout{60'000};  // agent calls other than CreateContainer
  uint64_t container_pipe_size = 0;
  bool resource_view = true;  // containers see their CPU and memory limits in /proc and /sys
  Text log_level = "info";
  Text policy;
  uint64_t server_port = 1024;
  uint64_t log_port = 1025;
};

struct RuntimeConfig {
  bool enable_debug = false;
  NetworkModel internetworking_model = NetworkModel::kTcFilter;
  bool disable_new_netns = false;
  bool disable_guest_seccomp = false;
  Text guest_selinux_label;
  bool enable_vcpus_pinning = false;
  bool sandbox_cgroup_only = false;
  bool static_sandbox_resource_mgmt = false;
  TextList sandbox_bind_mounts;
  Text vfio_mode = "guest-kernel";
  bool disable_guest_empty_dir = false;
  EmptyDirMode emptydir_mode = EmptyDirMode::kSharedFs;
  Millis create_container_timeout{60'000};
  TextList experimental;
  bool experimental_force_guest_pull = false;
  bool enable_tracing = false;
  Text jaeger_endpoint;
  Text jaeger_user;
  Text jaeger_password;
  bool enable_pprof = false;
  Text dan_conf = "/run/kata-containers/dans";
  Text kubelet_root_dir = "/var/lib/kubelet";
  Text pod_resource_api_sock;
  bool keep_abnormal = false;
  Text log_level = "info";
  Text hypervisor_name;  // which [hypervisor.X] is used when the file has several
  Text agent_name = "kata";
};

struct Config {
  HypervisorConfig hypervisor;
  AgentConfig agent;
  RuntimeConfig runtime;
};

}  // namespace kata::config
