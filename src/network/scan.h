#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/types.pb.h"
#include "base/error.h"

namespace kata::network {

// NICs of one VM at most; a slot of the PCI bus each.
inline constexpr size_t kMaxLinks = 16;
// Entries of each list at most: they travel to the guest in one message.
inline constexpr size_t kMaxEntries = 4096;
// Addresses of one link at most; each may bring a route to its peer.
inline constexpr size_t kMaxAddresses = kMaxEntries / kMaxLinks;

// One interface of a network namespace that the guest is to have.
struct Link {
  std::string name;
  std::string kind;  // "veth", "macvlan", ...; empty for hardware
  int index = 0;
  uint32_t mtu = 0;
  std::string mac;
  uint32_t flags = 0;  // IFF_*
  std::vector<types::IPAddress> addresses;
  bool settling = false;  // duplicate detection of an address is under way
};

// An interface that the guest cannot have, and why.
struct Refusal {
  std::string link;
  int index = 0;
  Error why;
};

// What a guest needs to know of a network namespace, in the agent protocol's words.
struct Scan {
  std::vector<Link> links;  // by name
  std::vector<types::Route> routes;
  std::vector<types::ARPNeighbor> neighbors;
  std::vector<Refusal> refused;
  std::map<int, std::string> present;  // name of every link there is, by index
};

// Looks at the calling thread's network namespace. Links that count: all with an address, save
// loopback, ports of bridges and the like, and taps of ours. What counts must carry Ethernet
// frames, whatever made it; else, and for names, MACs and numbers that a guest cannot have, it is
// refused with an error that says what to do (docs/design/network.md, "Scan"). Of two links that
// cannot go together the older one stays.
Result<Scan> scan();

// The interface as the guest is to have it.
types::Interface guest_interface(const Link& link);

// "tap0_kata" (facts/runtime-behaviour.md 5.2).
std::string tap_name(size_t index);

}  // namespace kata::network
