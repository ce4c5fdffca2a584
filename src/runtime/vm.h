#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "config/config.h"
#include "hypervisor/hypervisor.h"
#include "journal/journal.h"
#include "runtime/phase_record.h"
#include "runtime/resizable_vm.h"
#include "runtime/sandbox_paths.h"
#include "storage/virtiofsd.h"
#include "ttrpc/client.h"

namespace kata::runtime {

// A running VM with its helpers: the VMM and the file-system daemon. Owns them; the destructor
// leaves nothing running. One event loop.
class Vm : public ResizableVm {
 public:
  // What boot() needs; the pointers must outlive the VM.
  struct Request {
    std::string sandbox_id;
    const config::Config* config = nullptr;
    const SandboxPaths* paths = nullptr;
    std::string shared_dir;  // exported to the guest
    VmSize size;
    VmSize most;        // not more than `size`: it never grows
    int netns_fd = -1;  // network namespace of VMM and helpers; stays the caller's
    std::vector<hypervisor::NetDevice> nets;  // there from the start
    Journal* journal = nullptr;
    PhaseRecord* phases = nullptr;
  };

  // Starts helpers and VMM; comes back when the VMM runs. On failure nothing is left running.
  static Task<Result<std::unique_ptr<Vm>>> boot(Request request);
  ~Vm() override;

  // Waits for the agent as long as the guest makes progress (docs/design/runtime.md, "Waiting for
  // the guest"); the error says what was last seen of it.
  Task<Result<std::shared_ptr<ttrpc::Client>>> connect_agent();

  // Hot plug of a network device; the PCI path in the guest.
  Task<Result<std::string>> add_net(hypervisor::NetDevice device) {
    return hypervisor_->add_net(std::move(device));
  }
  Task<Status> remove_net(const std::string& id) { return hypervisor_->remove_net(id); }
  Task<Status> disconnect_net(const std::string& id) { return hypervisor_->disconnect_net(id); }
  // For hot plug of disks; not to be stopped behind our back.
  hypervisor::Hypervisor& hypervisor() { return *hypervisor_; }
  hypervisor::Capabilities capabilities() const override { return hypervisor_->capabilities(); }
  uint32_t vcpus() const override { return hypervisor_->vcpus(); }
  Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) override {
    return hypervisor_->resize_vcpus(wanted);
  }
  Task<Result<uint64_t>> resize_memory(uint64_t wanted) override {
    return hypervisor_->resize_memory(wanted);
  }
  Task<Result<std::vector<pid_t>>> vcpu_threads() { return hypervisor_->vcpu_threads(); }

  const hypervisor::AgentEndpoint& endpoint() const { return hypervisor_->agent_endpoint(); }
  pid_t pid() const { return hypervisor_->pid(); }
  // Of the file-system daemon; 0 without one.
  pid_t fs_pid() const { return virtiofsd_ ? virtiofsd_->pid() : 0; }
  // Set with the reason when VMM or file-system daemon is gone.
  Promise<std::string>& died() { return died_; }
  // Last lines of the guest's console, for error texts.
  std::string console_tail() const { return hypervisor_->console_tail(); }
  // Ends everything; idempotent.
  Task<> stop();

 private:
  Vm(asio::any_io_executor executor, Request request);

  Task<Status> start();
  Task<Status> start_virtiofsd(const std::string& socket_path);
  bool made_progress();
  bool keep_waiting(Clock::time_point begin);
  static Task<> watch_vmm(std::shared_ptr<hypervisor::Hypervisor> vmm, Promise<std::string> died);
  static Task<> watch_fs(std::shared_ptr<storage::Virtiofsd> fs, Promise<std::string> died);

  asio::any_io_executor executor_;
  Request request_;
  std::shared_ptr<storage::Virtiofsd> virtiofsd_;
  std::shared_ptr<hypervisor::Hypervisor> hypervisor_;
  Promise<std::string> died_;
  uint64_t last_cpu_demand_ = 0;
  uint64_t last_console_bytes_ = 0;
  Clock::time_point last_progress_ = Clock::now();
};

}  // namespace kata::runtime
