#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::network {

// The kernel's limit: 64 KiB less an Ethernet header.
inline constexpr uint32_t kMaxTapMtu = 65521;

// Makes a tap in the calling thread's network namespace with `queues` queues, one descriptor each.
// It lives as long as one of them, or until remove_tap(). kAlreadyExists when the name is taken.
Result<std::vector<UniqueFd>> make_tap(const std::string& name, uint32_t queues);
// Opens the queues of a tap that is there already.
Result<std::vector<UniqueFd>> open_tap(const std::string& name, uint32_t queues);

// Gives an open queue of a macvtap the form of a tap's.
Status set_queue_flags(int fd);

// One descriptor of the kernel's network back end per queue; empty when it cannot be had, which is
// no failure: the VMM then copies the frames itself.
std::vector<UniqueFd> open_vhost_net(size_t queues);

}  // namespace kata::network
