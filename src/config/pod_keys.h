#pragma once

#include <span>
#include <string_view>

#include "config/config.h"

namespace kata::config {

// One configuration key that a pod can reach.
struct PodKey {
  std::string_view annotation;                  // without io.katacontainers.config.<section>.
  std::string_view key = {};                    // in the key table; empty = the same name
  TextList HypervisorConfig::*valid = nullptr;  // list of globs that the value must match
  double min = 0;
};

std::span<const PodKey> pod_hypervisor_keys();
std::span<const PodKey> pod_agent_keys();
std::span<const PodKey> pod_runtime_keys();

}  // namespace kata::config
