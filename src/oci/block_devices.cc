#include "oci/block_devices.h"

#include <algorithm>
#include <limits>
#include <set>

namespace kata::oci {

namespace {

bool is_number(int64_t value) {
  return value >= 0 && value <= std::numeric_limits<uint32_t>::max();
}

// Negative numbers are wildcards too.
bool any_number(bool present, int64_t value) {
  return !present || value < 0;
}

bool has(const grpc::LinuxDeviceCgroup& rule, char access) {
  return rule.access().empty() || rule.access().find(access) != std::string::npos;
}

struct Verdict {
  bool named = false;
  bool writes = false;
  bool blanket = false;
};

// What the rules say of one device; later ones win.
Verdict judge(const grpc::LinuxResources& resources, const grpc::LinuxDevice& device) {
  Verdict verdict;
  for (const grpc::LinuxDeviceCgroup& rule : resources.devices()) {
    if (!rule.type().empty() && rule.type() != "a" && rule.type() != "b") continue;
    const bool any_major = any_number(rule.has_major(), rule.major());
    const bool any_minor = any_number(rule.has_minor(), rule.minor());
    if (!any_major && rule.major() != device.major()) continue;
    if (!any_minor && rule.minor() != device.minor()) continue;
    const bool all = any_major && any_minor;
    if (all && has(rule, 'r')) verdict.blanket = rule.allow();
    if (!all) verdict.named = true;
    if (has(rule, 'w')) verdict.writes = rule.allow();
  }
  return verdict;
}

}  // namespace

std::vector<BlockDevice> block_devices(const grpc::Spec& spec) {
  std::vector<BlockDevice> found;
  std::set<std::string> seen;
  for (int i = 0; i < spec.linux().devices_size(); ++i) {
    const grpc::LinuxDevice& device = spec.linux().devices(i);
    if (device.type() != "b" || !is_number(device.major()) || !is_number(device.minor())) continue;
    if (!seen.insert(device.path()).second) continue;
    const Verdict verdict = judge(spec.linux().resources(), device);
    BlockDevice block;
    block.index = i;
    block.path = device.path();
    block.major = static_cast<uint32_t>(device.major());
    block.minor = static_cast<uint32_t>(device.minor());
    block.named = verdict.named || !verdict.blanket;
    // A device that no rule speaks of is the container's to use (facts/agent-behaviour.md 8.2).
    block.read_only = verdict.named && !verdict.writes;
    found.push_back(std::move(block));
  }
  return found;
}

}  // namespace kata::oci
