#pragma once

#include <string>
#include <string_view>

#include "metrics/text.h"

namespace kata::agent {

// Prometheus text of the agent and the guest (facts/agent-behaviour.md section 14): every figure
// that could be read; a kernel file that is missing costs its own figures only.
std::string agent_metrics();

// The parts, one per kernel file family; `proc` is "/proc" except in tests.
void add_agent_process(const std::string& proc, metrics::Text* out);
void add_load_and_cpu(const std::string& proc, metrics::Text* out);
void add_memory(const std::string& proc, metrics::Text* out);
void add_disks(const std::string& proc, metrics::Text* out);
void add_filesystems(const std::string& proc, metrics::Text* out);

// Name of a /proc/meminfo line as upstream's item: "MemTotal" is mem_total, "Active(anon)"
// active_anon, "DirectMap2M" direct_map_2M.
std::string meminfo_item(std::string_view name);

}  // namespace kata::agent
