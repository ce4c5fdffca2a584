#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace kata::agent {

inline constexpr char kHugePages[] = "/sys/kernel/mm/hugepages";

// Sets `size` bytes of pages of `page` bytes aside, beside those that are set aside already.
// kFailedPrecondition when the kernel has no such pages, kResourceExhausted when it has too little
// memory in one piece; nothing is set aside then. `root` is kHugePages but in tests.
Status reserve_huge_pages(uint64_t page, uint64_t size, const std::string& root = kHugePages);

}  // namespace kata::agent
