#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

// Sets of CPU or memory node numbers as the kernel writes them (cpuset(7), "List format").
namespace kata {

using CpuSet = std::set<uint32_t>;

// "0-3,8" and a newline at the end; blanks are not allowed, numbers are at most 65535.
// kInvalidArgument with the text.
Result<CpuSet> parse_cpu_list(std::string_view text);
// Shortest form, without a newline; empty for an empty set.
std::string cpu_list(const CpuSet& cpus);

}  // namespace kata
