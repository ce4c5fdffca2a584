#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/task.h"
#include "ttrpc/frame.h"

namespace kata::vsock {
class VhostUserVsock;
}

namespace kata::hypervisor {

// How to reach a port of the guest. Copies share what they point to.
struct AgentEndpoint {
  enum class Kind {
    kNone,
    kInProcess,  // our own vhost-user back end; `uds_path` is its hybrid socket for other processes
    kHybrid,     // the VMM's unix socket with the CONNECT handshake
    kVsock,      // AF_VSOCK
  };
  Kind kind = Kind::kNone;
  std::string uds_path;
  uint32_t cid = 0;
  std::shared_ptr<vsock::VhostUserVsock> device;

  // "hvsock:///path:1024" or "vsock://cid:1024", as upstream's tools write it.
  std::string url(uint32_t port) const;
  // Waits until the guest listens on the port and connects; kDeadlineExceeded at the deadline,
  // kUnavailable as soon as it is known that it never will.
  Task<Result<ttrpc::Stream>> connect(uint32_t port, Clock::time_point deadline) const;
  // One try, now.
  Task<Result<ttrpc::Stream>> connect_now(uint32_t port, Clock::duration limit) const;
};

}  // namespace kata::hypervisor
