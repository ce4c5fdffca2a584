#pragma once

#include <string>

#include "agent/types.pb.h"
#include "rtnetlink/objects.h"

// Kernel objects as messages of the agent protocol: the host sends them, the guest answers with
// them (facts/agent-protocol.md, messages Interface, Route, ARPNeighbor).
namespace kata::rtnetlink {

// "02:00:00:00:00:01"; empty for a link without one.
std::string mac_text(const nl_addr* address);
// "192.0.2.0/24"; empty for "everywhere".
std::string prefix_text(const nl_addr* address);

types::IPAddress address_message(rtnl_addr* address);

// True for a route of the main table with somewhere to go.
bool in_main_table(rtnl_route* route);
// The first next hop counts: the message has room for one.
types::Route route_message(rtnl_route* route, nl_cache* links);

types::ARPNeighbor neighbor_message(rtnl_neigh* neighbor, nl_cache* links);

}  // namespace kata::rtnetlink
