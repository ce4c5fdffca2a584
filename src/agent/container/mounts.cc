#include "agent/container/mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "agent/container/cgroup_mount.h"
#include "agent/container/mount_ops.h"
#include "agent/container/mount_options.h"
#include "agent/container/mount_target.h"
#include "agent/container/tmp_copy_up.h"
#include "agent/container/words.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

Result<UniqueFd> reopen(const RootfsContext& context, const std::string& destination) {
  return beneath::open_in_root(context.root.get(), clean_path(destination), O_PATH);
}

bool on_procfs(int fd) {
  struct statfs info {};
  return fstatfs(fd, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

Status apply_propagation(int mount, const MountOptions& options) {
  for (unsigned long flags : options.propagation) TRY_STATUS(set_propagation(mount, flags));
  return {};
}

Status apply_recursive(int mount, const MountOptions& options) {
  return set_mount_attr(mount, options.recursive_set, options.recursive_clear, true);
}

Status bind_mount(RootfsContext* context, const grpc::Mount& mount, const MountOptions& options) {
  TRY(UniqueFd tree, clone_mount(mount.source(), options.recursive_bind));
  struct stat source {};
  if (fstat(tree.get(), &source) < 0) return fail_errno("stat " + mount.source());
  TRY(UniqueFd target,
      make_mount_target(context->root.get(), mount.destination(), !S_ISDIR(source.st_mode)));
  TRY_STATUS(check_same_kind(tree.get(), target.get()));
  TRY_STATUS(check_proc_target(target.get(), mount.destination(), on_procfs(tree.get())));
  TRY_STATUS(set_mount_attr(tree.get(), options.attr_set, options.attr_clear, false));
  TRY_STATUS(apply_recursive(tree.get(), options));
  TRY_STATUS(attach_mount(tree.get(), target.get()));
  return apply_propagation(tree.get(), options);
}

// A tmpfs takes the mode of the folder it covers, unless the spec names one.
std::string tmpfs_data(const RootfsContext& context, const grpc::Mount& mount,
                       const MountOptions& options) {
  auto covered = reopen(context, mount.destination());
  struct stat info {};
  if (!covered || fstat(covered->get(), &info) < 0) return options.data;
  char mode[32];
  snprintf(mode, sizeof mode, "mode=%o", info.st_mode & 07777U);
  return options.data.empty() ? mode : std::string(mode) + ',' + options.data;
}

Status filesystem_mount(RootfsContext* context, const grpc::Mount& mount,
                        const MountOptions& options) {
  const std::string& type = mount.type();
  const std::string& destination = mount.destination();
  const bool tmpfs = type == "tmpfs";
  const bool late = tmpfs || clean_path(destination) == "/dev";
  std::string data = tmpfs ? tmpfs_data(*context, mount, options) : options.data;
  uint64_t attr = options.attr_set;
  if (late && (attr & MOUNT_ATTR_RDONLY)) {
    context->late_readonly.push_back(destination);
    attr &= ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY);
  }
  TRY(UniqueFd target, make_mount_target(context->root.get(), destination, false));
  TRY_STATUS(check_proc_target(target.get(), destination, type == "proc"));
  if (type == "proc" || type == "sysfs") {
    TRY_STATUS(require_plain_directory(context->root.get(), destination));
  }
  TRY_STATUS(mount_at(target.get(), mount.source(), type,
                      options.super_flags | attr_to_ms_flags(attr), data));
  TRY(UniqueFd mounted, reopen(*context, destination));
  if (options.tmpcopyup && tmpfs) TRY_STATUS(copy_up(target.get(), mounted.get()));
  TRY_STATUS(apply_recursive(mounted.get(), options));
  return apply_propagation(mounted.get(), options);
}

Status remount(RootfsContext* context, const grpc::Mount& mount, const MountOptions& options) {
  TRY(UniqueFd mounted, reopen(*context, mount.destination()));
  if (!options.bind && !options.data.empty()) {
    TRY_STATUS(mount_at(mounted.get(), mount.source(), mount.type(),
                        MS_REMOUNT | options.super_flags | attr_to_ms_flags(options.attr_set),
                        options.data));
  }
  TRY_STATUS(set_mount_attr(mounted.get(), options.attr_set, options.attr_clear, false));
  TRY_STATUS(apply_recursive(mounted.get(), options));
  return apply_propagation(mounted.get(), options);
}

Status mount_one(RootfsContext* context, const grpc::Mount& mount) {
  if (!mount.destination().starts_with('/')) {
    return fail(Code::kInvalidArgument, "mount destination is not absolute");
  }
  if (!mount.uidmappings().empty() || !mount.gidmappings().empty()) {
    return fail(Code::kUnimplemented, "idmapped mounts are not supported");
  }
  MountOptions options = parse_mount_options(mount);
  if (options.remount) return remount(context, mount, options);
  if (options.bind) return bind_mount(context, mount, options);
  if (mount.type() == "cgroup" || mount.type() == "cgroup2") {
    return mount_cgroups(context, mount, options);
  }
  return filesystem_mount(context, mount, options);
}

}  // namespace

Status mount_all(RootfsContext* context) {
  for (const grpc::Mount& mount : context->spec().mounts()) {
    TRY_STATUS(in_step(
        "error mounting \"" + mount.source() + "\" to rootfs at \"" + mount.destination() + "\"",
        mount_one(context, mount)));
  }
  return {};
}

Status finish_readonly(RootfsContext* context) {
  for (const std::string& destination : context->late_readonly) {
    TRY(UniqueFd mounted, reopen(*context, destination));
    TRY_STATUS(in_step("remount " + destination + " read-only",
                       set_mount_attr(mounted.get(), MOUNT_ATTR_RDONLY, 0, false)));
  }
  return {};
}

bool dev_is_bind(const grpc::Spec& spec) {
  for (const grpc::Mount& mount : spec.mounts()) {
    if (clean_path(mount.destination()) == "/dev" && parse_mount_options(mount).bind) return true;
  }
  return false;
}

}  // namespace kata::agent
