#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "network/scan.h"
#include "rtnetlink/objects.h"

namespace kata::network {

// Puts a macvtap called `name` on top of the link and opens its queues. In "passthru" mode: it has
// the link's MAC and gets all its unicast frames, so that nothing of the link needs to be changed,
// nor put back later. On failure nothing is left.
Result<std::vector<UniqueFd>> make_macvtap(nl_sock* socket, const std::string& name,
                                           const Link& link, uint32_t queues);

}  // namespace kata::network
