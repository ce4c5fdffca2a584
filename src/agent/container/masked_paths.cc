#include "agent/container/masked_paths.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <optional>

#include "agent/container/mount_ops.h"
#include "agent/container/words.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

// Empty when the path is not there.
Result<std::optional<UniqueFd>> open_present(const RootfsContext& context,
                                             const std::string& path) {
  auto fd = beneath::open_in_root(context.root.get(), clean_path(path), O_PATH);
  if (fd) return std::optional<UniqueFd>(std::move(*fd));
  int number = fd.error().sys_errno();
  if (number == ENOENT || number == ENOTDIR) return std::optional<UniqueFd>();
  return std::unexpected(std::move(fd.error()));
}

// The agent's own null device, checked: a masked path must not become a window to something else
// (runc CVE-2025-31133).
Result<UniqueFd> clone_null() {
  TRY(UniqueFd tree, clone_mount("/dev/null", false));
  struct stat info {};
  if (fstat(tree.get(), &info) < 0) return fail_errno("stat /dev/null");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    return fail(Code::kFailedPrecondition, "/dev/null is not the null device");
  }
  return tree;
}

Status mask_path(const RootfsContext& context, const std::string& path) {
  TRY(std::optional<UniqueFd> target, open_present(context, path));
  if (!target) return {};
  struct stat info {};
  if (fstat(target->get(), &info) < 0) return fail_errno("stat");
  if (S_ISDIR(info.st_mode)) {
    return mount_at(target->get(), "tmpfs", "tmpfs", MS_RDONLY, "nr_inodes=2");
  }
  TRY(UniqueFd null, clone_null());
  return attach_mount(null.get(), target->get());
}

Status make_readonly(const RootfsContext& context, const std::string& path) {
  TRY(std::optional<UniqueFd> target, open_present(context, path));
  if (!target) return {};
  TRY(UniqueFd tree, clone_mount_fd(target->get(), true));
  TRY_STATUS(set_mount_attr(tree.get(), MOUNT_ATTR_RDONLY, 0, false));
  return attach_mount(tree.get(), target->get());
}

}  // namespace

Status mask_paths(RootfsContext* context) {
  for (const std::string& path : context->spec().linux().maskedpaths()) {
    TRY_STATUS(in_step("mask " + path, mask_path(*context, path)));
  }
  return {};
}

Status make_paths_readonly(RootfsContext* context) {
  for (const std::string& path : context->spec().linux().readonlypaths()) {
    TRY_STATUS(in_step("make " + path + " read-only", make_readonly(*context, path)));
  }
  return {};
}

}  // namespace kata::agent
