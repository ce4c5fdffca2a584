#include "storage/rootfs_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <climits>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "storage/bind.h"
#include "storage/id_mapped.h"
#include "storage/mount_options.h"
#include "storage/overlay_data.h"

namespace kata::storage {

namespace {

// The journal and the mount table know canonical paths only.
Result<std::string> canonical(const std::string& path) {
  char resolved[PATH_MAX];
  if (!realpath(path.c_str(), resolved)) return fail_errno(path);
  return std::string(resolved);
}

Result<std::string> ready_rootfs(const std::string& bundle, const grpc::Spec& spec) {
  if (spec.root().path().empty()) {
    return fail(Code::kInvalidArgument,
                "the spec names no root.path and there is nothing to mount");
  }
  std::string path = spec.root().path();
  if (!path.starts_with('/')) path = bundle + "/" + path;
  struct stat info {};
  if (stat(path.c_str(), &info) < 0) {
    return fail(errno == ENOENT ? Code::kNotFound : Code::kInvalidArgument,
                "rootfs " + path + " of the bundle: " + strerrordesc_np(errno));
  }
  if (!S_ISDIR(info.st_mode)) {
    return fail(Code::kInvalidArgument, "rootfs " + path + " of the bundle is not a folder");
  }
  return canonical(path);
}

uint64_t bind_attributes(unsigned long flags) {
  uint64_t set = 0;
  if (flags & MS_RDONLY) set |= MOUNT_ATTR_RDONLY;
  if (flags & MS_NOSUID) set |= MOUNT_ATTR_NOSUID;
  if (flags & MS_NODEV) set |= MOUNT_ATTR_NODEV;
  if (flags & MS_NOEXEC) set |= MOUNT_ATTR_NOEXEC;
  return set;
}

Status mount_bind(const RootfsMount& request, const MountOptions& options, int target) {
  if (!request.source.starts_with('/')) {
    return fail(Code::kInvalidArgument, "bind source is not an absolute path");
  }
  TRY(UniqueFd source, open_file(request.source, O_PATH));
  struct stat info {
  }, target_info{};
  if (fstat(source.get(), &info) < 0 || fstat(target, &target_info) < 0) {
    return fail_errno("stat " + request.source);
  }
  const bool file = S_ISREG(info.st_mode) && S_ISREG(target_info.st_mode);
  const bool folder = S_ISDIR(info.st_mode) && S_ISDIR(target_info.st_mode);
  if (!file && !folder) {
    return fail(Code::kInvalidArgument, "bind source " + request.source + " is not a folder");
  }
  TRY(UniqueFd mount, clone_mount(source.get(), options.recursive));
  if (!options.ids.empty()) {
    TRY_STATUS(map_ids(mount.get(), options.ids, options.recursive, request.source));
  }
  TRY_STATUS(set_mount_attributes(mount.get(), bind_attributes(options.flags), 0, false));
  return attach_mount(mount.get(), target);
}

// The folder that the mapped layers stand in is next to the root.
Status mount_mapped(const RootfsMount& request, MountOptions options, int target,
                    const std::string& root, Journal& journal) {
  if (request.type != "overlay") {
    return fail(Code::kUnimplemented, "id mappings on a root file system of type " + request.type);
  }
  const std::string folder = dirname(root) + "/.mapped-layers";
  const journal::Entry entries[] = {journal::dir_entry(folder), journal::mount_entry(folder)};
  for (const auto& entry : entries) TRY_STATUS(journal.add(entry));
  auto mounted = mount_mapped_overlay(beneath::fd_path(target), folder, options.flags,
                                      std::move(options.data), options.ids);
  if (path_exists(folder)) return mounted;
  for (const auto& entry : entries) TRY_STATUS(journal.done(entry));
  return mounted;
}

Status mount_one(const RootfsMount& request, int target, const std::string& root,
                 Journal& journal) {
  TRY(MountOptions options, parse_mount_options(request.options));
  if (request.type == "bind" || (options.flags & MS_BIND)) {
    if (request.type != "bind" && !request.type.empty() && request.type != "none") {
      return fail(Code::kInvalidArgument, "bind option on a mount of type " + request.type);
    }
    return mount_bind(request, options, target);
  }
  if (request.type.empty()) return fail(Code::kInvalidArgument, "mount without a type");
  if (request.type.starts_with("fuse") || request.type.find('/') != std::string::npos) {
    return fail(Code::kUnimplemented, "root file system of type " + request.type);
  }
  if (!options.ids.empty()) {
    return mount_mapped(request, std::move(options), target, root, journal);
  }
  TRY(MountData data, join_mount_data(request.type, options.data));
  return mount_in_folder(request.source, beneath::fd_path(target), request.type, options.flags,
                         data);
}

// Opens the folder anew for each mount: a descriptor from before would hold what a mount covers.
Result<UniqueFd> open_target(const std::string& root, const std::string& target) {
  TRY(UniqueFd fd, open_file(root, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  if (target.empty()) return fd;
  // The journal takes normalised paths only.
  if (("/" + target + "/").find("/../") != std::string::npos ||
      ("/" + target + "/").find("/./") != std::string::npos ||
      ("/" + target + "/").find("//") != std::string::npos) {
    return fail(Code::kInvalidArgument, "mount target '" + target + "' is not normalised");
  }
  return beneath::open(fd.get(), target, O_PATH);
}

Status mount_list(const std::vector<RootfsMount>& mounts, const std::string& root,
                  Journal& journal) {
  for (size_t i = 0; i < mounts.size(); ++i) {
    const std::string step = "rootfs mount " + std::to_string(i) + " (" + mounts[i].type + ")";
    std::string target = mounts[i].target;
    target.erase(0, target.find_first_not_of('/'));
    TRY(UniqueFd fd, in_step(step, open_target(root, target)));
    const std::string point = target.empty() ? root : root + "/" + target;
    TRY_STATUS(journal.add(journal::mount_entry(point)));
    TRY_STATUS(in_step(step, mount_one(mounts[i], fd.get(), root, journal)));
  }
  return {};
}

Status make_root(const std::string& root, Journal& journal) {
  if (path_exists(root)) return {};
  TRY_STATUS(journal.add(journal::dir_entry(root)));
  return make_dir(root, 0711);
}

}  // namespace

Result<std::string> mount_rootfs(const std::vector<RootfsMount>& mounts, const std::string& bundle,
                                 const grpc::Spec& spec, Journal& journal) {
  if (mounts.empty()) return ready_rootfs(bundle, spec);
  TRY(std::string folder, in_step("bundle", canonical(bundle)));
  const std::string root = folder + "/rootfs";
  TRY_STATUS(make_root(root, journal));
  auto mounted = mount_list(mounts, root, journal);
  if (!mounted) {
    if (auto undone = unmount_rootfs(bundle, journal); !undone) {
      log::failure("a root file system stays mounted", undone.error(), {{"bundle", bundle}});
    }
    return std::unexpected(std::move(mounted.error()));
  }
  return root;
}

Status unmount_rootfs(const std::string& bundle, Journal& journal) {
  auto folder = canonical(bundle);
  // The bundle is gone, and the mounts on it with it.
  const std::string root = (folder ? *folder : bundle) + "/rootfs";
  TRY_STATUS(unmount_tree(root));
  for (const auto& entry : journal.live()) {
    if (entry.kind != journal::kMount || entry.fields.size() != 1) continue;
    const std::string& point = entry.fields[0];
    if (point == root || point.starts_with(root + "/")) TRY_STATUS(journal.done(entry));
  }
  return {};
}

}  // namespace kata::storage
