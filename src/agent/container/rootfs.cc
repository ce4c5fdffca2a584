#include "agent/container/rootfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "agent/container/mount_ops.h"
#include "agent/container/mount_options.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

// False when / is the first mount of the machine (initramfs): it cannot be pivoted away.
Result<bool> pivot(int root) {
  if (fchdir(root) < 0) return fail_errno("enter rootfs");
  if (syscall(SYS_pivot_root, ".", ".") < 0) {
    if (errno == EINVAL) return false;
    return fail_errno("pivot_root");
  }
  // The old root now sits on top of the new one at "."; it must not propagate its unmount.
  if (mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0)
    return fail_errno("slave old root");
  if (umount2(".", MNT_DETACH) < 0) return fail_errno("unmount old root");
  if (chdir("/") < 0) return fail_errno("chdir /");
  return true;
}

// Mount points of this namespace outside `keep`, deepest first.
Result<std::vector<std::string>> mounts_outside(const std::string& keep) {
  TRY(std::string table, read_file("/proc/self/mountinfo"));
  std::vector<std::string> points;
  for (std::string_view line : split(table, '\n')) {
    auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    std::string_view point = fields[4];
    bool inside = point == keep || (point.starts_with(keep) && point[keep.size()] == '/');
    bool above = point == "/" || (keep.starts_with(point) && keep[point.size()] == '/');
    if (!inside && !above) points.emplace_back(point);
  }
  std::reverse(points.begin(), points.end());
  return points;
}

Status move_over_root(int root, const std::string& rootfs) {
  TRY(std::vector<std::string> others, mounts_outside(rootfs));
  for (const std::string& point : others) {
    // Already gone with its parent, or locked in a user namespace: cannot be reached in any case.
    (void)umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }
  if (fchdir(root) < 0) return fail_errno("enter rootfs");
  if (mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) return fail_errno("move rootfs to /");
  if (chroot(".") < 0) return fail_errno("chroot");
  if (chdir("/") < 0) return fail_errno("chdir /");
  return {};
}

}  // namespace

Result<RootfsContext> open_rootfs(const LaunchConfig& config) {
  const std::string& word = config.spec.linux().rootfspropagation();
  unsigned long wanted = word.empty() ? 0 : propagation_flags(word);
  if (!word.empty() && wanted == 0) {
    return fail(Code::kInvalidArgument, "unknown rootfsPropagation \"" + word + "\"");
  }
  // Private unless mounts of the agent shall arrive; never shared towards the agent.
  bool arrive = word.empty() || (wanted & (MS_SLAVE | MS_SHARED));
  if (mount(nullptr, "/", nullptr, (arrive ? MS_SLAVE : MS_PRIVATE) | MS_REC, nullptr) < 0) {
    return fail_errno("separate mount propagation");
  }
  struct stat info {};
  if (stat(config.rootfs.c_str(), &info) < 0) return fail_errno("rootfs " + config.rootfs);
  if (!S_ISDIR(info.st_mode)) {
    return fail(Code::kInvalidArgument, "rootfs " + config.rootfs + " is not a folder");
  }
  RootfsContext context;
  context.config = &config;
  TRY(context.root, clone_mount(config.rootfs, true));
  UniqueFd place(open(config.rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return fail_errno("open rootfs");
  TRY_STATUS(in_step("mount rootfs", attach_mount(context.root.get(), place.get())));
  return context;
}

Status enter_rootfs(RootfsContext* context) {
  const int root = context->root.get();
  if (context->spec().root().readonly()) {
    TRY_STATUS(in_step("make rootfs read-only", set_mount_attr(root, MOUNT_ATTR_RDONLY, 0, false)));
  }
  TRY(bool pivoted, pivot(root));
  if (!pivoted) TRY_STATUS(move_over_root(root, context->config->rootfs));
  unsigned long wanted = propagation_flags(context->spec().linux().rootfspropagation());
  if (wanted == 0) return {};
  TRY(UniqueFd entered, open_file("/", O_PATH));
  return set_propagation(entered.get(), wanted);
}

}  // namespace kata::agent
