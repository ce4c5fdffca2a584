#pragma once

#include <cstdint>
#include <string_view>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// One bit per capability number.
struct CapabilitySets {
  uint64_t bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};

// Sets of the spec; names with or without "CAP_", also JSON-quoted. Names that are unknown here or
// to the kernel are skipped (facts/agent-protocol.md section 9).
CapabilitySets parse_capabilities(const grpc::LinuxCapabilities& spec);

// Number of a capability name, -1 when unknown.
int capability_number(std::string_view name);

// Drops from the bounding set what is not in it. Needs CAP_SETPCAP.
Status apply_bounding_set(const CapabilitySets& sets);
// Effective, permitted and inheritable. `extra` stays effective and permitted until the next call.
Status apply_capabilities(const CapabilitySets& sets, uint64_t extra);
// What can be raised of the ambient set; the rest is ignored, as other runtimes do.
void apply_ambient_set(const CapabilitySets& sets);

}  // namespace kata::agent
