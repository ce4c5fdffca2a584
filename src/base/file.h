#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// Small-file helpers. Paths given here must not lie below a folder that a guest can write to: for
// those use base/path_beneath.h.
namespace kata {

// Default bound of read_file: everything we read whole (config, spec, /proc files) is smaller.
inline constexpr size_t kMaxFileSize = 16 << 20;

// O_CLOEXEC is always added.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0);
// Whole content; kResourceExhausted when larger than `limit`.
Result<std::string> read_file(const std::string& path, size_t limit = kMaxFileSize);
Result<std::string> read_fd(int fd, size_t limit = kMaxFileSize);
Status write_all(int fd, std::string_view data);
// Writes into an existing file (procfs, sysfs, cgroupfs: one write) or creates/truncates one.
Status write_existing(const std::string& path, std::string_view data);
Status write_file(const std::string& path, std::string_view data, mode_t mode = 0600);
// Temporary file plus rename: readers see the old or the new content.
Status write_file_atomic(const std::string& path, std::string_view data, mode_t mode = 0600);

bool path_exists(const std::string& path);
Status make_dir(const std::string& path, mode_t mode = 0755);   // EEXIST is fine
Status make_dirs(const std::string& path, mode_t mode = 0755);  // with parents
Status remove_file(const std::string& path);                    // ENOENT is fine
// Removes a tree without following symlinks and without leaving the mount it starts in.
Status remove_tree(const std::string& path);
// The same for an entry of an open folder; a mount point of that name is refused untouched.
Status remove_tree_at(int parent, const std::string& name);
// Names in a folder without "." and "..", unsorted.
Result<std::vector<std::string>> list_dir(const std::string& path);

std::string dirname(const std::string& path);
std::string basename(const std::string& path);

}  // namespace kata
