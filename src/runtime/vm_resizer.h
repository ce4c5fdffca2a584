#pragma once

#include <functional>

#include "base/event.h"
#include "runtime/agent_client.h"
#include "runtime/resizable_vm.h"

namespace kata::runtime {

// Changes the size of a running VM: one change at a time. vCPUs go where the VMM can take them
// away, memory never does. Owns nothing; one event loop; `vm` outlives it.
class VmResizer {
 public:
  // Runs when the VMM has more vCPU threads, before the guest uses them.
  using OnVcpus = std::function<Task<Status>()>;

  VmResizer(asio::any_io_executor executor, ResizableVm& vm, VmSize boot, OnVcpus on_vcpus)
      : turn_(std::move(executor)),
        vm_(vm),
        on_vcpus_(std::move(on_vcpus)),
        boot_(boot),
        memory_mib_(boot.memory_mib) {}

  // Comes back when the VM has at least `wanted`, as far as it can: what its ceiling forbids, and
  // what the guest is late with, is a warning. Any number of callers. What a failed growth added
  // stays, and the next one finishes what it left open.
  Task<Status> grow(VmSize wanted, AgentClient& agent);
  uint32_t memory_mib() const { return memory_mib_; }
  // Takes vCPUs away that are beyond what `needed` says when its turn has come, where that works.
  // May take as long as the guest wants.
  Task<> shrink(std::function<Result<VmSize>()> needed);

 private:
  bool has_to_grow_to(const VmSize& wanted) const;
  Task<Status> grow_vcpus(uint32_t wanted, AgentClient& agent);
  Task<Status> grow_memory(uint32_t wanted, AgentClient& agent);

  AsyncMutex turn_;
  ResizableVm& vm_;
  OnVcpus on_vcpus_;
  const VmSize boot_;
  uint32_t memory_mib_;
  bool memory_full_ = false;
  bool vcpus_to_place_ = false;
  bool shrinking_ = false;
};

}  // namespace kata::runtime
