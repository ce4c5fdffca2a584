#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "base/event.h"
#include "hypervisor/qemu/pci_slots.h"
#include "hypervisor/qemu/qmp_client.h"
#include "hypervisor/vm_config.h"

namespace kata::hypervisor::qemu {

// Hot plug over QMP: back ends, devices, and their undo. A removal is over only when QEMU says
// DEVICE_DELETED, which the guest decides; until then the back end is in use. Keeps what it
// plugged. Single event loop; the owner keeps it alive while a task runs.
class DevicePlug {
 public:
  // How long a guest may take to let go of a device.
  static constexpr auto kRemoveLimit = std::chrono::seconds(20);
  // Shorter. What the guest lets go of after the limit is cleared away then.
  static constexpr auto kRemoveNetLimit = std::chrono::seconds(5);
  // How long an emulated guest on a busy host may take to take a DIMM.
  static constexpr auto kTakeMemoryLimit = std::chrono::seconds(60);

  DevicePlug(asio::any_io_executor executor, std::shared_ptr<QmpClient> qmp,
             const VmConfig& config);

  // Events of the QMP connection.
  void on_event(const std::string& name, const Json& data);
  // Nothing more will be let go of: wakes whoever waits for it.
  void vm_ended();

  // As a PCI disk its guest path; as a SCSI disk "target:lun".
  Task<Result<std::string>> add_disk(DiskDevice disk);
  Task<Status> remove_disk(std::string id);
  // Tells the guest the size that the disk has on the host now.
  Task<Status> resize_disk(std::string id, uint64_t bytes);
  // The guest path.
  Task<Result<std::string>> add_net(NetDevice net);
  Task<Status> remove_net(std::string id);
  Task<Status> disconnect_net(std::string id);
  // `remove` = taking vCPUs away works. Returns the number there is now.
  Task<Result<uint32_t>> resize_vcpus(uint32_t wanted, bool remove);
  Task<Result<uint64_t>> resize_memory(uint64_t wanted);

  bool scsi() const { return scsi_; }
  uint32_t vcpus() const { return vcpus_; }

 private:
  // QEMU's host side of a device: a node of the block layer, or a network back end.
  struct Backend {
    std::string id;
    bool is_disk = false;
  };
  Task<Status> run(std::string command, Json arguments);
  // device_del and the wait for its end.
  Task<Status> remove_device(std::string id, Clock::duration limit = kRemoveLimit);
  // The whole removal of a device with its back end.
  Task<Status> unplug(Backend backend, Clock::duration limit);
  static Task<Status> remove_backend(std::shared_ptr<QmpClient> qmp, Backend backend);
  static Task<> remove_late(std::shared_ptr<QmpClient> qmp, Backend backend);
  // Slot or SCSI unit of a device that is gone.
  void free_place(const std::string& id);
  Task<Status> send_fds(const std::vector<UniqueFd>& fds, std::string prefix,
                        std::vector<std::string>* names);
  Task<Status> add_backend(const NetDevice& net);
  // Runs an undo step; its failure is only logged.
  Task<> undo(std::string command, Json arguments);
  Task<Status> add_node(DiskDevice disk);
  Task<Status> plug_disk(DiskDevice disk, Json device);
  Task<Status> plug_net(const NetDevice& net, Json device);
  Task<Status> add_one_vcpu();
  void forget_vcpu(const std::string& id);
  void on_ost(const Json& data);

  std::shared_ptr<QmpClient> qmp_;
  asio::any_io_executor executor_;
  PciSlots slots_;
  bool scsi_;
  uint32_t indep_iothreads_;
  uint32_t next_iothread_ = 0;
  MemoryConfig memory_;  // `boot` grows with what is plugged
  uint32_t vcpus_;
  uint32_t max_vcpus_;
  std::set<uint32_t> luns_;  // SCSI units in use
  std::map<std::string, uint32_t> disk_luns_;
  std::vector<std::string> plugged_vcpus_;
  uint32_t next_cpu_ = 0;
  uint32_t dimms_ = 0;
  std::map<std::string, std::shared_ptr<Event>> removals_;
  // What the guest said of a DIMM (_OST, ACPI 6.5 section 6.3.5); 0 = taken.
  std::map<std::string, Promise<int64_t>> osts_;
  std::map<std::string, Backend> late_;  // by the id of the device that the guest still holds
  bool ended_ = false;
};

}  // namespace kata::hypervisor::qemu
