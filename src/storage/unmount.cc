#include "storage/unmount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "base/path_beneath.h"
#include "storage/bind.h"
#include "storage/mount_table.h"

namespace kata::storage {

namespace {

// Mount points at and below a path, oldest first.
Result<std::vector<std::string>> mounts_below(const std::string& path) {
  TRY(auto table, read_mount_table());
  std::vector<std::string> found;
  for (auto& entry : table) {
    if (entry.point == path || entry.point.starts_with(path + "/")) {
      found.push_back(std::move(entry.point));
    }
  }
  return found;
}

Status detach(const std::string& point) {
  TRY(UniqueFd root, open_file("/", O_PATH | O_DIRECTORY));
  auto parent = beneath::open(root.get(), dirname(point).substr(1), O_PATH | O_DIRECTORY);
  if (!parent) {
    if (parent.error().sys_errno() == ENOENT) return {};
    return std::unexpected(std::move(parent.error()));
  }
  return detach_mount_at(parent->get(), basename(point));
}

}  // namespace

Status unmount_tree(const std::string& path) {
  char folder[PATH_MAX];
  if (!realpath(dirname(path).c_str(), folder)) {
    if (errno == ENOENT) return {};
    return fail_errno("unmount " + path);
  }
  const std::string whole = std::string(folder) + "/" + basename(path);
  // Lazy: a second round finds what a mount had covered.
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    TRY(auto points, mounts_below(whole));
    if (points.empty()) return {};
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
      TRY_STATUS(in_step("unmount " + path, detach(*point)));
    }
  }
  TRY(auto left, mounts_below(whole));
  if (left.empty()) return {};
  return fail(Code::kFailedPrecondition, left.front() + " stays mounted");
}

}  // namespace kata::storage
