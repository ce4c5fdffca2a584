#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

// What to boot, as plain values that every VMM driver understands; a driver refuses what it cannot
// do. Sizes in MiB unless said otherwise. facts/configuration.md section 3.
namespace kata::hypervisor {

enum class AccelChoice { kAuto, kKvm, kTcg };

// How the guest's root image reaches it.
enum class ImageDriver { kNvdimm, kVirtioBlk };
// What hot-plugged and container disks sit on.
enum class DiskDriver { kVirtioScsi, kVirtioBlk };
enum class SharedFsKind { kNone, kVirtioFs, kVirtio9p };
// kAuto: the kernel's vhost-vsock where /dev/vhost-vsock works, else a back end of our own.
enum class VsockBackend { kAuto, kKernel, kVhostUser };

struct GuestImage {
  std::string path;
  ImageDriver driver = ImageDriver::kNvdimm;
  std::string fs_type = "ext4";  // ext4, xfs, erofs
  std::string verity;            // "root_hash=..,salt=..,data_blocks=..,.." or empty
};

struct SharedFs {
  SharedFsKind kind = SharedFsKind::kNone;
  std::string tag = "kataShared";
  std::string source;       // virtio-9p: the host folder
  std::string socket_path;  // virtio-fs: the daemon's listening socket
  uint32_t queue_size = 1024;
  uint32_t cache_size = 0;  // DAX window; needs a patched QEMU
};

// One network device: open tap queues and, per queue, an optional vhost-net descriptor.
struct NetDevice {
  std::string id;  // "network-0"
  std::string mac;
  std::vector<UniqueFd> tap_fds;
  std::vector<UniqueFd> vhost_fds;  // empty = no vhost-net
  uint32_t mtu = 0;                 // 0 = the device's default
};

// One disk.
struct DiskDevice {
  std::string id;  // unique in the VM, at most 20 characters
  std::string path;
  bool read_only = false;
  bool direct = false;          // O_DIRECT
  bool no_flush = false;        // ignore guest flushes
  std::string aio = "threads";  // threads, native, io_uring
  std::string serial;
  uint32_t logical_sector = 0;  // bytes, 0 = default
  uint32_t physical_sector = 0;
};

struct MemoryConfig {
  uint64_t boot = 2048;
  uint64_t max = 0;  // with everything that may be plugged; 0 or <= boot: no hot plug
  uint32_t slots = 10;
  bool prealloc = false;
  bool hugepages = false;
  std::string file_backend;  // folder of the file behind guest memory; empty = memfd
  bool free_page_reporting = false;
};

struct VmConfig {
  std::string id;      // sandbox id
  std::string vm_dir;  // an existing folder of this VM alone; sockets and the pid file go there

  std::string vmm_path;
  std::string machine_type = "q35";
  std::string machine_options;  // appended to the machine's own
  AccelChoice accel = AccelChoice::kAuto;
  std::string accel_cache = "/run/kata-containers/accel.json";  // empty = probe each time
  std::string firmware;
  std::string firmware_volume;
  std::vector<std::string> pflashes;
  std::string seccomp;  // VMM's own filter; empty = the driver's strict default, "off" = none

  uint32_t vcpus = 1;
  uint32_t max_vcpus = 1;
  std::string cpu_features;
  MemoryConfig memory;

  std::string kernel;
  std::string initrd;  // exactly one of initrd and image.path
  GuestImage image;
  // Appended last, so that they win.
  std::vector<std::string> kernel_params;

  uint32_t pci_bridges = 1;
  uint32_t pcie_root_ports = 0;
  DiskDriver disk_driver = DiskDriver::kVirtioScsi;
  bool disable_modern = false;
  bool iothreads = false;        // one for the SCSI controller
  uint32_t indep_iothreads = 0;  // for plugged virtio-blk disks, in turn
  bool iommu = false;
  bool iommu_platform = false;
  bool vfio = false;  // devices may be passed through
  std::string entropy_source = "/dev/urandom";
  SharedFs shared_fs;
  std::vector<NetDevice> nets;
  std::vector<DiskDevice> disks;
  VsockBackend vsock = VsockBackend::kAuto;
  std::string vsock_uds;  // hybrid socket of our own back end; empty = <vm_dir>/vsock.sock

  bool legacy_serial = false;  // console on ttyS0 instead of hvc0
  bool debug = false;          // the guest's kernel says more
  // Gets each line of the guest's console, printable ASCII, cut at 2 KiB; may be empty.
  std::function<void(const std::string& line)> on_console_line;
  std::string extra_monitor;  // "hmp", "qmp", "qmp-pretty" at <vm_dir>/extra-monitor.sock; or empty
  std::string selinux_label;
  int netns_fd = -1;  // network namespace of the VMM process; stays the caller's

  // From exec to the control channel's first answer. A ceiling: a VMM that ends earlier is
  // reported at once.
  std::chrono::milliseconds start_limit{60'000};
};

}  // namespace kata::hypervisor
