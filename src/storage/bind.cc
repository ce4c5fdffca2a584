#include "storage/bind.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "base/path_beneath.h"

namespace kata::storage {

Result<UniqueFd> clone_mount(int fd, bool recursive, uint64_t propagation) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  UniqueFd mount(open_tree(fd, "", flags));
  if (!mount) return fail_errno("copy a mount");
  TRY_STATUS(set_mount_attributes(mount.get(), 0, propagation, recursive));
  return mount;
}

Status set_mount_attributes(int mount_fd, uint64_t set, uint64_t propagation, bool recursive) {
  struct mount_attr attributes {};
  attributes.attr_set = set;
  attributes.propagation = propagation;
  unsigned flags = AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  if (mount_setattr(mount_fd, "", flags, &attributes, sizeof attributes) < 0) {
    return fail_errno("set mount attributes");
  }
  return {};
}

Status attach_mount(int mount_fd, int target) {
  if (move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return fail_errno("attach a mount");
  }
  return {};
}

Status detach_mount_at(int parent, const std::string& name) {
  const std::string path = beneath::fd_path(parent) + "/" + name;
  if (umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) return {};
  if (errno == EINVAL || errno == ENOENT) return {};
  return fail_errno("unmount " + name);
}

}  // namespace kata::storage
