#pragma once

#include <memory>

#include "hypervisor/agent_endpoint.h"
#include "network/loopback_trap.h"
#include "ttrpc/transport.h"

namespace kata::runtime {

// kubectl port-forward: a container manager enters the sandbox's network namespace and dials a port
// of its loopback, where a VM has nobody listening. Each such connection is carried to the same
// port of the guest's loopback over vsock (ttrpc/forward.h). Lives as long as the sandbox;
// connections end with the VM. One event loop.
class PortForward {
 public:
  // Takes the trap's listener. `endpoint` is copied.
  static Result<std::unique_ptr<PortForward>> start(asio::any_io_executor executor,
                                                    network::LoopbackTrap trap,
                                                    hypervisor::AgentEndpoint endpoint);
  ~PortForward();

 private:
  PortForward(std::shared_ptr<ttrpc::Listener> listener, UniqueFd link)
      : listener_(std::move(listener)), link_(std::move(link)) {}

  std::shared_ptr<ttrpc::Listener> listener_;
  UniqueFd link_;
};

}  // namespace kata::runtime
