#pragma once

#include "config/keys.h"

// Words for the rows of *_keys.cc; not for use elsewhere.
#define KATA_HV(member) [](Config& c) -> Field { return &c.hypervisor.member; }
#define KATA_HV_CHOICE(member) [](Config& c) -> Field { return choice(c.hypervisor.member); }
#define KATA_AGENT(member) [](Config& c) -> Field { return &c.agent.member; }
#define KATA_RUNTIME(member) [](Config& c) -> Field { return &c.runtime.member; }
#define KATA_RUNTIME_CHOICE(member) [](Config& c) -> Field { return choice(c.runtime.member); }

namespace kata::config {

inline constexpr double kMaxMib = 1 << 30;         // one PiB
inline constexpr double kMaxSeconds = 7 * 86'400;  // a week
inline constexpr double kMaxPort = 4'294'967'295.0;

}  // namespace kata::config
