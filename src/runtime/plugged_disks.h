#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/event.h"
#include "config/config.h"
#include "hypervisor/hypervisor.h"
#include "storage/host_disk.h"

namespace kata::runtime {

// The host's disks that containers of a sandbox use: each is plugged into the VM once for all who
// may write to it and once for all who may not, and taken out when its last user goes. Nothing of
// it is on the host: what is plugged ends with the VM. One event loop; `vm` and `config` outlive
// it; a slow guest holds up only those who want the same disk.
class PluggedDisks {
 public:
  PluggedDisks(asio::any_io_executor executor, hypervisor::Hypervisor& vm,
               const config::HypervisorConfig& config)
      : executor_(std::move(executor)), vm_(vm), config_(config) {}

  // Where the guest finds it. Any number of claims of one owner count as one. On failure the owner
  // has none. kResourceExhausted when the VM takes no more devices.
  Task<Result<hypervisor::DiskAddress>> claim(std::string owner, storage::HostDisk disk,
                                              bool read_only);
  // Gives all claims of the owner back. An error: the guest does not let go of a disk that nobody
  // uses; the rest is done all the same.
  Task<Status> release(std::string owner);
  // Tells the guest the size that the disk has on the host now, at least `bytes`; kNotFound when it
  // is not plugged.
  Task<Status> grow(storage::HostDisk disk, uint64_t bytes);

 private:
  // In the map as long as it is plugged, or somebody waits for it.
  struct Disk {
    explicit Disk(asio::any_io_executor executor) : order(std::move(executor)) {}
    AsyncMutex order;  // plugging and unplugging
    std::set<std::string> owners;
    std::string id;  // in the VM; empty: not plugged
    hypervisor::DiskAddress address;
  };
  using Disks = std::map<std::string, std::shared_ptr<Disk>>;

  hypervisor::DiskDevice plan(const storage::HostDisk& disk, bool read_only);
  Task<Status> leave(std::string key, std::shared_ptr<Disk> disk);

  asio::any_io_executor executor_;
  hypervisor::Hypervisor& vm_;
  const config::HypervisorConfig& config_;
  uint64_t next_ = 0;
  Disks disks_;  // by the disk's key and the access
};

}  // namespace kata::runtime
