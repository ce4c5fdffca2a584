#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "agent/oci.pb.h"

namespace kata::agent {

// A profile with a default that refuses cannot know the system calls that came after it was
// written, and EPERM for those breaks C libraries: they fall back to an older call on ENOSYS only.
// So, as under runc, calls above the largest number that the profile names (per architecture) are
// answered with ENOSYS before the profile is asked. `architectures` are SCMP_ARCH_* tokens.
// Returns instructions to put in front of a compiled filter; none when the profile's default lets
// calls through, or answers ENOSYS itself.
std::vector<sock_filter> unknown_call_filter(const grpc::LinuxSeccomp& profile,
                                             const std::vector<uint32_t>& architectures);

}  // namespace kata::agent
