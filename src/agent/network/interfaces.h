#pragma once

#include "agent/agent.pb.h"
#include "base/error.h"

namespace kata::agent {

// Gives the link at the wanted PCI path, else the one with the wanted MAC, else the one with the
// wanted name its addresses, name, MAC, MTU and flags, and brings it up (facts/agent-behaviour.md
// section 10). Addresses already there stay, and so do routes unless name or MAC change.
// "Link not found" while its driver is not up yet. `sysfs` differs only in tests.
Status update_interface(const types::Interface& wanted, const std::string& sysfs = "/sys");

// Name of the link of the virtio device at a PCI path.
Result<std::string> link_at(const std::string& sysfs, const std::string& pci_path);

// Whether the guest was told to do without IPv6.
bool ipv6_disabled();

// Every link with its addresses, loopback included.
Result<grpc::Interfaces> list_interfaces();

}  // namespace kata::agent
