#include "agent/container/mount_ops.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/container/words.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr std::string_view kVolumes = "/run/kata-containers/";

}  // namespace

Status mount_at(int target, const std::string& source, const std::string& type, unsigned long flags,
                const std::string& data) {
  if (mount(source.c_str(), beneath::fd_path(target).c_str(), type.c_str(), flags,
            data.empty() ? nullptr : data.c_str()) < 0) {
    return fail_errno("mount " + (type.empty() ? source : type));
  }
  return {};
}

Result<UniqueFd> clone_mount(const std::string& source, bool recursive) {
  if (std::string path = clean_path(source); path.starts_with(kVolumes)) {
    TRY(UniqueFd held, in_step("bind " + source, beneath::open_absolute(path, O_PATH)));
    return clone_mount_fd(held.get(), recursive);
  }
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0U);
  UniqueFd fd(open_tree(AT_FDCWD, source.c_str(), flags));
  if (!fd) return fail_errno("bind " + source);
  return fd;
}

Result<UniqueFd> clone_mount_fd(int source, bool recursive) {
  unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  UniqueFd fd(open_tree(source, "", flags));
  if (!fd) return fail_errno("bind mount");
  return fd;
}

Status set_mount_attr(int mount, uint64_t set, uint64_t clear, bool recursive) {
  if (set == 0 && clear == 0) return {};
  struct mount_attr attr {};
  attr.attr_set = set;
  attr.attr_clr = clear;
  unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  if (mount_setattr(mount, "", flags, &attr, sizeof attr) < 0) {
    return fail_errno("change mount attributes");
  }
  return {};
}

Status set_propagation(int mount, unsigned long flags) {
  struct mount_attr attr {};
  attr.propagation = flags & ~static_cast<unsigned long>(MS_REC);
  unsigned at = AT_EMPTY_PATH | (flags & MS_REC ? AT_RECURSIVE : 0U);
  if (mount_setattr(mount, "", at, &attr, sizeof attr) < 0) {
    return fail_errno("change mount propagation");
  }
  return {};
}

Status attach_mount(int mount, int target) {
  if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return fail_errno("attach mount");
  }
  return {};
}

}  // namespace kata::agent
