#include "agent/container/mount_target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/container/words.h"
#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr mode_t kFolderMode = 0755;

// Files in /proc that may be replaced by a view of the container's own (facts section 4.2).
constexpr std::array<std::string_view, 11> kReplaceable = {"/proc/cpuinfo",
                                                           "/proc/diskstats",
                                                           "/proc/meminfo",
                                                           "/proc/stat",
                                                           "/proc/swaps",
                                                           "/proc/uptime",
                                                           "/proc/loadavg",
                                                           "/proc/slabinfo",
                                                           "/proc/net/dev",
                                                           "/proc/sys/kernel/ns_last_pid",
                                                           "/proc/sys/crypto/fips_enabled"};

Result<UniqueFd> make_file(int root, const std::string& path) {
  TRY(UniqueFd parent, beneath::make_dirs(root, dirname(path), kFolderMode, true));
  std::string name = basename(path);
  UniqueFd made(openat(parent.get(), name.c_str(),
                       O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, kFolderMode));
  if (!made && errno != EEXIST) return fail_errno("create mount point " + path);
  return beneath::open_in_root(root, path, O_PATH);
}

}  // namespace

Result<UniqueFd> make_mount_target(int root, const std::string& destination, bool want_file) {
  std::string path = clean_path(destination);
  if (auto there = beneath::open_in_root(root, path, O_PATH)) return there;
  if (want_file) return make_file(root, path);
  return beneath::make_dirs(root, path, kFolderMode, true);
}

Status check_same_kind(int source, int target) {
  struct stat above {
  }, below{};
  if (fstat(source, &above) < 0 || fstat(target, &below) < 0) return fail_errno("stat mount point");
  if (S_ISDIR(above.st_mode) == S_ISDIR(below.st_mode)) return {};
  return fail_errno("mount", ENOTDIR);
}

Status check_proc_target(int target, const std::string& destination, bool is_proc) {
  struct statfs info {};
  if (fstatfs(target, &info) < 0) return fail_errno("statfs mount point " + destination);
  std::string path = clean_path(destination);
  bool on_proc = info.f_type == PROC_SUPER_MAGIC;
  bool named_proc = path == "/proc" || path.starts_with("/proc/");
  if (!on_proc && !named_proc) return {};
  if (path == "/proc" && is_proc) return {};
  if (std::find(kReplaceable.begin(), kReplaceable.end(), path) != kReplaceable.end()) return {};
  // An image's own folder below an unmounted /proc hides nothing.
  if (!on_proc && path != "/proc") return {};
  return fail(Code::kInvalidArgument,
              "\"" + destination + "\" cannot be mounted because it is inside /proc");
}

Status require_plain_directory(int root, const std::string& destination) {
  auto fd = beneath::open(root, clean_path(destination).substr(1), O_PATH | O_DIRECTORY);
  if (fd) return {};
  return fail(Code::kInvalidArgument,
              "filesystem \"" + destination + "\" must be mounted on ordinary directory");
}

}  // namespace kata::agent
