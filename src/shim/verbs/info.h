#pragma once

#include <string>

namespace kata::shim {

inline constexpr char kRuntimeName[] = "io.containerd.kata.v2";

// What `-version` prints; containerd does not parse it.
std::string version_text();

// What `-info` prints: a serialized containerd.types.RuntimeInfo (facts/shim-v2.md section 2.5).
std::string runtime_info();

}  // namespace kata::shim
