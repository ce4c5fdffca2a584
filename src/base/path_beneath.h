#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

// Path work below a folder whose content an adversary may change at any time (a shared tree, a
// container's root). Every step goes through openat2(2) on a held fd, so a planted symlink can
// neither lead out nor be followed (CVE-2020-2024, CVE-2020-2026, CVE-2026-41326).
namespace kata::beneath {

// Opens `path` (relative) below `root`; symlinks and magic links anywhere are refused.
Result<UniqueFd> open(int root, const std::string& path, int flags, mode_t mode = 0);
// Opens `path` as a process whose / is `root` would: symlinks are resolved inside the root.
Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode = 0);
// Makes every missing folder of `path` and returns the last one (O_PATH|O_DIRECTORY). Symlinks are
// refused, or resolved inside the root when `in_root`.
Result<UniqueFd> make_dirs(int root, const std::string& path, mode_t mode, bool in_root = false);
// Opens an absolute path as open() does below "/": symlinks anywhere on it are refused.
Result<UniqueFd> open_absolute(const std::string& path, int flags);
// "/proc/self/fd/N": lets mount(2) and friends act on a held fd.
std::string fd_path(int fd);

}  // namespace kata::beneath
