#include "agent/view/mount_views.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "agent/container/mount_ops.h"
#include "agent/view/view_fs.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

bool is_kernel_file(int fd) {
  struct statfs info {};
  return fstatfs(fd, &info) == 0 && (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

}  // namespace

Status mount_views(RootfsContext* context) {
  const std::string& folder = context->config->view;
  if (folder.empty()) return {};
  for (const ViewPlace& place : kViewPlaces) {
    auto target = beneath::open_in_root(context->root.get(), place.destination, O_PATH);
    if (!target || !is_kernel_file(target->get())) continue;
    // A kernel file that shows too much is better than no container.
    auto file = clone_mount(folder + "/" + place.name, false);
    if (!file) continue;
    TRY_STATUS(set_mount_attr(
        file->get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        0, false));
    TRY_STATUS(in_step(place.destination, attach_mount(file->get(), target->get())));
  }
  return {};
}

}  // namespace kata::agent
