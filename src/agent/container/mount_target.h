#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Opens (O_PATH) the place `destination` inside the root behind `root`, as a process whose / is
// that root would see it, and makes what is missing: folders, and for `want_file` an empty file.
// Nothing outside the root can be reached, whatever symlinks the image holds (CVE-2021-30465).
Result<UniqueFd> make_mount_target(int root, const std::string& destination, bool want_file);

// Fails with ENOTDIR unless both are folders or both are not, which is what mounting requires.
Status check_same_kind(int source, int target);

// Refuses a target on a procfs unless it is one of the files that runtimes emulate
// (/proc/cpuinfo, ...); a fake /proc would blind the checks on the process itself
// (runc CVE-2019-16884, CVE-2019-19921). `is_proc` = the mount is a procfs of its own.
Status check_proc_target(int target, const std::string& destination, bool is_proc);

// Fails with kInvalidArgument unless the last step of `destination` is a real directory reached
// without symlinks: proc and sysfs must sit where the path says.
Status require_plain_directory(int root, const std::string& destination);

}  // namespace kata::agent
