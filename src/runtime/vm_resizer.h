#pragma once

#include <optional>

#include "base/event.h"
#include "runtime/agent_client.h"
#include "runtime/vm.h"

namespace kata::runtime {

// Keeps a running VM as large as it should be: one change at a time, the newest wish counts. vCPUs
// go where the VMM can take them away, memory never does. Owns nothing; one event loop; `vm`
// outlives it.
class VmResizer {
 public:
  VmResizer(asio::any_io_executor executor, Vm& vm, VmSize boot)
      : executor_(std::move(executor)), vm_(vm), boot_(boot), now_(boot), wanted_(boot) {}

  // Comes back when the guest has what the newest fit() asked for, as far as the VMM can give it;
  // what it cannot is a warning. Any number of callers.
  Task<Status> fit(VmSize wanted, AgentClient& agent);
  VmSize now() const { return now_; }

 private:
  bool fits() const;
  Task<Status> resize(AgentClient& agent);
  Task<Status> resize_vcpus(AgentClient& agent);
  Task<Status> resize_memory(AgentClient& agent);

  asio::any_io_executor executor_;
  Vm& vm_;
  const VmSize boot_;
  VmSize now_, wanted_;
  std::optional<Event> changing_;  // a change is under way
};

}  // namespace kata::runtime
