#include "agent/storage/fs_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <deque>

#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr mode_t kFile = 0660, kFileReadOnly = 0440, kFolder = S_ISGID | 0110;

// Owner and mode of what `fd` (O_PATH) stands for.
Status adopt(int fd, const struct stat& info, gid_t gid, mode_t wanted) {
  std::string path = beneath::fd_path(fd);
  if (fchownat(fd, "", static_cast<uid_t>(-1), gid, AT_EMPTY_PATH) < 0) return fail_errno("chown");
  mode_t mode = wanted | (S_ISDIR(info.st_mode) ? kFolder : 0);
  if ((info.st_mode & mode) == mode) return {};
  // chown clears set-id bits of files, so the old mode is written back with the new bits.
  if (chmod(path.c_str(), (info.st_mode & 07777) | mode) < 0) return fail_errno("chmod");
  return {};
}

bool is_right(const struct stat& info, gid_t gid, mode_t wanted) {
  mode_t mode = wanted | kFolder;
  return info.st_gid == gid && (info.st_mode & mode) == mode;
}

// Changes one entry; folders are queued for their own turn.
Status visit(int root, const std::string& path, gid_t gid, mode_t wanted,
             std::deque<std::string>* folders) {
  auto fd = beneath::open(root, path, O_PATH | O_NOFOLLOW);
  if (!fd) return std::unexpected(std::move(fd.error()));
  struct stat info {};
  if (fstat(fd->get(), &info) < 0) return fail_errno("stat " + path);
  if (S_ISLNK(info.st_mode)) return {};
  if (S_ISDIR(info.st_mode)) folders->push_back(path);
  return in_step(path, adopt(fd->get(), info, gid, wanted));
}

}  // namespace

Task<Status> apply_fs_group(std::string path, grpc::FSGroup group) {
  CO_TRY(UniqueFd root, beneath::open_absolute(path, O_RDONLY | O_DIRECTORY));
  struct stat info {};
  struct statvfs volume {};
  if (fstat(root.get(), &info) < 0 || fstatvfs(root.get(), &volume) < 0) {
    co_return fail_errno("stat " + path);
  }
  gid_t gid = group.group_id();
  mode_t wanted = (volume.f_flag & ST_RDONLY) ? kFileReadOnly : kFile;
  bool on_mismatch = group.group_change_policy() == types::OnRootMismatch;
  if (on_mismatch && is_right(info, gid, wanted)) co_return Status{};
  std::deque<std::string> folders;
  CO_TRY_STATUS(visit(root.get(), ".", gid, wanted, &folders));
  while (!folders.empty()) {
    std::string folder = std::move(folders.front());
    folders.pop_front();
    CO_TRY(UniqueFd fd, beneath::open(root.get(), folder, O_RDONLY | O_DIRECTORY));
    CO_TRY(auto names, list_dir(beneath::fd_path(fd.get())));
    for (const auto& name : names) {
      CO_TRY_STATUS(visit(root.get(), folder + "/" + name, gid, wanted, &folders));
    }
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  co_return Status{};
}

Status give_folder_to_group(int folder, unsigned gid) {
  struct stat info {};
  if (fstat(folder, &info) < 0) return fail_errno("stat of a volume");
  if (fchownat(folder, "", static_cast<uid_t>(-1), gid, AT_EMPTY_PATH) < 0) {
    return fail_errno("chown of a volume");
  }
  if (chmod(beneath::fd_path(folder).c_str(), (info.st_mode & 07777) | S_ISGID) < 0) {
    return fail_errno("chmod of a volume");
  }
  return {};
}

}  // namespace kata::agent
