#include "storage/shared_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "storage/bind.h"
#include "storage/host_mounts.h"
#include "storage/mount_points.h"

namespace kata::storage {

namespace {

// The guest's device nodes and set-uid programs mean nothing on the host; the file server cannot be
// talked into opening a device (CVE-2020-35517).
constexpr uint64_t kShareAttributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
constexpr mode_t kFolderMode = 0750;
// Below the sandbox's own folder: root of a user namespace in the guest must come through.
constexpr mode_t kSharedMode = 0711;

// One file name, short enough that the names derived from it fit into NAME_MAX.
Status check_name(const std::string& id) {
  constexpr size_t kMaxId = 200;
  if (id.empty() || id == "." || id == ".." || id.size() > kMaxId || id.find('/') != id.npos ||
      id.find('\0') != id.npos) {
    return fail(Code::kInvalidArgument, "id '" + id.substr(0, kMaxId) + "' is no file name");
  }
  if (id == kWatchableFolder || id == kSandboxMounts) {
    return fail(Code::kInvalidArgument, "id '" + id + "' is taken by the shared tree itself");
  }
  return {};
}

Result<bool> is_same_file(int one, int other) {
  struct stat first {
  }, second{};
  if (fstat(one, &first) < 0 || fstat(other, &second) < 0) return fail_errno("stat");
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

std::string rootfs_name(const std::string& container_id) {
  return container_id + "/rootfs";
}

}  // namespace

Result<std::unique_ptr<SharedTree>> SharedTree::create(const std::string& sandbox_id,
                                                       Journal& journal, std::string root) {
  TRY_STATUS(check_name(sandbox_id));
  TRY_STATUS(make_dirs(root, kFolderMode));
  char resolved[PATH_MAX];
  if (!realpath(root.c_str(), resolved)) return fail_errno(root);
  const std::string base = std::string(resolved) + "/" + sandbox_id;
  if (path_exists(base)) return fail(Code::kAlreadyExists, "shared tree " + base);
  std::unique_ptr<SharedTree> tree(new SharedTree(base, journal));
  auto built = tree->build();
  if (!built) {
    if (auto undone = tree->destroy(); !undone) {
      log::failure("a shared tree stays", undone.error(), {{"path", base}});
    }
    return in_step("make shared tree",
                   Result<std::unique_ptr<SharedTree>>(std::unexpected(std::move(built.error()))));
  }
  return tree;
}

Status SharedTree::build() {
  const std::string mounts = base_ + "/mounts";
  TRY_STATUS(journal_.add(journal::tree_entry(base_)));
  TRY_STATUS(make_dir(base_, kFolderMode));
  TRY_STATUS(make_dir(mounts, kSharedMode));
  TRY_STATUS(make_dir(mounts + "/" + std::string(kWatchableFolder), kFolderMode));
  TRY_STATUS(make_dir(exported(), kSharedMode));

  // mounts/ becomes a mount of its own, because only a mount can pass later mounts on, and / may be
  // private.
  constexpr int kFolder = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  TRY(UniqueFd plain, open_file(mounts, kFolder));
  TRY(UniqueFd own, clone_mount(plain.get(), false));
  TRY_STATUS(set_mount_attributes(own.get(), kShareAttributes, 0, false));
  TRY_STATUS(journal_.add(journal::mount_entry(mounts)));
  TRY_STATUS(attach_mount(own.get(), plain.get()));
  TRY(mounts_, open_file(mounts, kFolder));
  TRY_STATUS(set_mount_attributes(mounts_.get(), 0, MS_SHARED, false));

  // The export is a read-only slave: what is mounted below mounts/ shows up in it, nothing that
  // happens in it comes back. clone_mount() would cut it off, so the copy is made here.
  UniqueFd slave(open_tree(mounts_.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!slave) return fail_errno("copy the shared mount");
  TRY_STATUS(
      set_mount_attributes(slave.get(), MOUNT_ATTR_RDONLY | kShareAttributes, MS_SLAVE, false));
  TRY(UniqueFd target, open_file(exported(), kFolder));
  TRY_STATUS(journal_.add(journal::mount_entry(exported())));
  return attach_mount(slave.get(), target.get());
}

Status SharedTree::attach(const std::string& container_id, const Shared& shared, int mount_fd) {
  TRY_STATUS(journal_.add(journal::mount_entry(host_path(shared))));
  containers_[container_id].push_back(shared);
  if (shared.is_dir) {
    TRY(UniqueFd folder, beneath::make_dirs(mounts_.get(), shared.name, kSharedMode));
    return attach_mount(mount_fd, folder.get());
  }
  if (const size_t slash = shared.name.rfind('/'); slash != std::string::npos) {
    TRY(UniqueFd folder,
        beneath::make_dirs(mounts_.get(), shared.name.substr(0, slash), kFolderMode));
  }
  TRY(UniqueFd file,
      beneath::open(mounts_.get(), shared.name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return attach_mount(mount_fd, file.get());
}

// Not mounted by mount_rootfs(), a root may be a mount that only the host has. Where both see the
// same folder ours is taken: hooks may have mounted something below it, which the host does not
// see.
Result<UniqueFd> SharedTree::copy_root(const std::string& path, const grpc::Spec& spec) {
  constexpr int kRoot = O_PATH | O_DIRECTORY;
  TRY(UniqueFd root, open_file(path, kRoot));
  bool on_host = false;
  const auto entries = journal_.live();
  if (std::ranges::find(entries, journal::mount_entry(path)) == entries.end()) {
    TRY(UniqueFd other, open_on_host(path, kRoot));
    TRY(bool same, is_same_file(root.get(), other.get()));
    on_host = !same;
    if (on_host) root = std::move(other);
  }
  if (spec.root().readonly()) make_mount_points(root.get(), spec, dirname(path));
  if (on_host) return clone_on_host(root.get(), true);
  return clone_mount(root.get(), true);
}

Result<std::string> SharedTree::share_rootfs(const std::string& container_id,
                                             const std::string& host_path, const grpc::Spec& spec) {
  TRY_STATUS(check_name(container_id));
  if (containers_.contains(container_id)) {
    return fail(Code::kAlreadyExists, "container " + container_id + " is in the shared tree");
  }
  const Shared shared{rootfs_name(container_id)};
  const auto share = [&]() -> Status {
    TRY(UniqueFd mount, copy_root(host_path, spec));
    const uint64_t attributes = kShareAttributes | (spec.root().readonly() ? MOUNT_ATTR_RDONLY : 0);
    TRY_STATUS(set_mount_attributes(mount.get(), attributes, 0, true));
    return attach(container_id, shared, mount.get());
  };
  TRY_STATUS(in_step("share the root file system", share()));
  return std::string(kGuestShared) + "/" + shared.name;
}

Status SharedTree::detach(const Shared& shared) {
  const size_t slash = shared.name.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : shared.name.substr(0, slash);
  const std::string name = slash == std::string::npos ? shared.name : shared.name.substr(slash + 1);
  auto parent = beneath::open(mounts_.get(), folder, O_PATH | O_DIRECTORY);
  if (parent) {
    TRY_STATUS(detach_mount_at(parent->get(), name));
    const int flags = shared.is_dir ? AT_REMOVEDIR : 0;
    if (unlinkat(parent->get(), name.c_str(), flags) < 0 && errno != ENOENT) {
      return fail_errno("remove " + shared.name);
    }
    parent->reset();
    if (folder != "." && unlinkat(mounts_.get(), folder.c_str(), AT_REMOVEDIR) < 0 &&
        errno != ENOENT && errno != ENOTEMPTY) {
      return fail_errno("remove " + folder);
    }
  } else if (parent.error().sys_errno() != ENOENT) {
    return std::unexpected(std::move(parent.error()));
  }
  return journal_.done(journal::mount_entry(host_path(shared)));
}

Status SharedTree::unshare(const std::string& container_id) {
  auto found = containers_.find(container_id);
  if (found == containers_.end()) return {};
  Status first;
  auto& list = found->second;
  for (size_t i = list.size(); i-- > 0;) {
    auto detached = in_step("take " + list[i].name + " out of the shared tree", detach(list[i]));
    if (detached) {
      list.erase(list.begin() + static_cast<ptrdiff_t>(i));
    } else if (first) {
      first = std::move(detached);
    }
  }
  if (list.empty()) containers_.erase(found);
  return first;
}

Status SharedTree::destroy() {
  Status first;
  const auto keep = [&](Status status) {
    if (!status && first) first = std::move(status);
  };
  std::vector<std::string> ids;
  for (const auto& [id, list] : containers_) ids.push_back(id);
  for (const auto& id : ids) keep(unshare(id));
  mounts_.reset();
  const journal::UndoOptions options{{dirname(base_)}, {}};
  for (const auto& entry : {journal::mount_entry(exported()),
                            journal::mount_entry(base_ + "/mounts"), journal::tree_entry(base_)}) {
    auto undone = undo_entry(entry, options);
    if (undone) undone = journal_.done(entry);
    keep(in_step("remove shared tree " + base_, std::move(undone)));
  }
  return first;
}

}  // namespace kata::storage
