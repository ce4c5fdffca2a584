#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/event.h"
#include "base/task.h"
#include "hypervisor/agent_endpoint.h"
#include "hypervisor/vm_config.h"

namespace kata::hypervisor {

// How a VMM ended.
struct ExitReport {
  int code = 0;            // as a shell shows it
  int signal = 0;          // 0 = none
  bool requested = false;  // by stop()
  std::string reason;      // one line: what happened, what the VMM said last
};

// What a driver can do with a running VM.
struct Capabilities {
  bool hotplug_disk = false;
  bool hotplug_net = false;
  bool hotplug_cpu = false;
  bool unplug_cpu = false;
  bool hotplug_memory = false;
  bool shared_fs = false;
};

// Where a disk shows up in the guest.
struct DiskAddress {
  std::string pci_path;   // "02/01": slots from the root to the device; empty for SCSI
  std::string scsi_addr;  // "0:3": target and LUN on the only controller; empty for PCI
};

// One VM. Owns the VMM process and every channel to it; destroying it kills the process. All
// members run on the event loop that made it. Each task may be awaited by one caller at a time
// unless said otherwise. A VMM that is gone makes every task fail with kUnavailable.
class Hypervisor {
 public:
  virtual ~Hypervisor() = default;

  // Starts the VMM; done when it answers and the guest's first instruction may run. On failure no
  // process is left and the error carries what the VMM said.
  virtual Task<Status> start() = 0;
  // Kills and reaps the VMM. Idempotent; any number of callers.
  virtual Task<Status> stop() = 0;
  virtual Task<Status> pause() = 0;
  virtual Task<Status> resume() = 0;

  // 0 before start().
  virtual pid_t pid() const = 0;
  // Gets its value within milliseconds of the VMM's end, whatever the cause.
  virtual Promise<ExitReport>& exited() = 0;

  // Valid from start() on.
  virtual const AgentEndpoint& agent_endpoint() const = 0;
  // The last lines of the guest's console, for error texts; bounded and printable.
  virtual std::string console_tail() const = 0;
  // Bytes the console has printed so far: a sign of progress while a guest boots.
  virtual uint64_t console_bytes() const = 0;
  // Why it runs with the accelerator it has.
  virtual std::string accelerator() const = 0;
  virtual Capabilities capabilities() const = 0;

  // Kernel ids of the threads that run vCPUs, all of them threads of pid().
  virtual Task<Result<std::vector<pid_t>>> vcpu_threads() = 0;
  // Hot plug. kUnimplemented where capabilities() says no; on failure nothing stays plugged.
  virtual Task<Result<DiskAddress>> add_disk(DiskDevice disk) = 0;
  // The guest may let go of it after the error kDeadlineExceeded: what it used is freed then.
  virtual Task<Status> remove_disk(const std::string& id) = 0;
  // Tells the guest a new size: not more than the disk has on the host.
  virtual Task<Status> resize_disk(const std::string& id, uint64_t bytes) = 0;
  // The PCI path of the new device.
  virtual Task<Result<std::string>> add_net(NetDevice net) = 0;
  virtual Task<Status> remove_net(const std::string& id) = 0;
  // Takes the host's end of a device away: the guest keeps it and finds its link down. For those
  // of the boot, which cannot be taken out.
  virtual Task<Status> disconnect_net(const std::string& id) = 0;
  // vCPUs that there are now: a guest may let go of one long after it was asked to.
  virtual uint32_t vcpus() const = 0;
  // Brings the number of vCPUs to `wanted` as far as the driver and the guest can; returns what
  // there is now. An error means that not even one could be added.
  virtual Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) = 0;
  // Adds memory up to `wanted` MiB in all and waits for the guest to take it (a guest that does not
  // is logged); returns what there is now. Memory is never taken away.
  virtual Task<Result<uint64_t>> resize_memory(uint64_t wanted) = 0;
};

// A driver for the configured VMM; checks the configuration, starts nothing.
Result<std::unique_ptr<Hypervisor>> make_qemu(asio::any_io_executor executor, VmConfig config);

}  // namespace kata::hypervisor
