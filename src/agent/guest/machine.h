#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/agent.pb.h"
#include "agent/csi.pb.h"
#include "base/error.h"

// Small facts about the guest, and small changes to it (facts/agent-behaviour.md section 13).
namespace kata::agent {

// Feeds the random pool with bytes of the host and makes the kernel's generator take them.
Status reseed_random(std::string_view data);
Status set_clock(int64_t seconds, int64_t microseconds);
// swapon(2) of a block device.
Status add_swap(const std::string& node);
// Bytes and inodes of the file system at `path`.
Result<grpc::VolumeStatsResponse> volume_stats(const std::string& path);
// Memory block size in bytes, 0 when the kernel has no memory hot plug.
uint64_t memory_block_size(const std::string& sysfs);
bool has_memory_probe(const std::string& sysfs);

}  // namespace kata::agent
