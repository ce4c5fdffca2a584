#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::network {

// One listening TCP socket that takes the connections to every loopback port of a network namespace
// (a BPF program at the namespace's socket look-up, Linux 5.9): the local port of an accepted
// socket is the port that was dialled. Closing the descriptors undoes it; nothing is left in the
// namespace.
struct LoopbackTrap {
  UniqueFd listener;
  UniqueFd link;
};

// An error when the kernel cannot (EPERM, EINVAL from bpf(2)). Sockets that are bound to a port of
// their own in the namespace lose their loopback connections to it; a sandbox's namespace has none.
// Blocking.
Result<LoopbackTrap> trap_loopback(int netns_fd);

}  // namespace kata::network
