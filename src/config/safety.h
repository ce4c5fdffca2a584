#pragma once

#include <string>

#include "base/error.h"

namespace kata::config {

inline constexpr size_t kMaxConfigSize = 1 << 20;

// Opens, checks and reads a configuration file through one descriptor, so that what was checked is
// what is read. Refused: anything but a regular file, more than kMaxConfigSize bytes, and with
// `check_owner` as root a file that is not root's or that group or others may write
// (CVE-2026-50540).
Result<std::string> read_trusted(const std::string& path, bool check_owner);

}  // namespace kata::config
