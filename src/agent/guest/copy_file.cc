#include "agent/guest/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

struct Target {
  UniqueFd parent;
  std::string name;
};

// Path below the root, without "." and ".." steps.
Result<std::string> relative_path(const std::string& root, const std::string& path) {
  if (!path.starts_with(root + "/") || path.find("/../") != std::string::npos ||
      path.ends_with("/..")) {
    return fail(Code::kInvalidArgument, "path " + path + " does not lie below " + root);
  }
  std::string rest = path.substr(root.size() + 1);
  while (rest.ends_with('/')) rest.pop_back();
  rest.erase(0, rest.find_first_not_of('/'));
  std::string name = basename(rest);
  if (rest.empty() || name == "." || name == "..") {
    return fail(Code::kInvalidArgument, "path " + path + " names no file");
  }
  return rest;
}

Result<Target> open_parent(const std::string& root, const grpc::CopyFileRequest& request) {
  TRY(std::string path, relative_path(root, request.path()));
  TRY_STATUS(make_dirs(root));
  TRY(UniqueFd base, open_file(root, O_PATH | O_DIRECTORY));
  size_t slash = path.rfind('/');
  mode_t mode = request.dir_mode() ? request.dir_mode() & 07777 : 0755;
  Target target;
  target.name = slash == std::string::npos ? path : path.substr(slash + 1);
  TRY(target.parent,
      beneath::make_dirs(base.get(),
                         slash == std::string::npos ? std::string() : path.substr(0, slash), mode));
  return target;
}

uid_t owner(int32_t id) {
  return static_cast<uid_t>(id);
}

Status set_owner(int fd, const std::string& name, const grpc::CopyFileRequest& request) {
  if (fchownat(fd, name.c_str(), owner(request.uid()), owner(request.gid()), AT_SYMLINK_NOFOLLOW) <
      0) {
    return fail_errno("chown " + name);
  }
  return {};
}

// Makes room for a new entry; a folder that is there stays.
Status remove_entry(int parent, const std::string& name) {
  if (unlinkat(parent, name.c_str(), 0) < 0 && errno != ENOENT && errno != EISDIR) {
    return fail_errno("replace " + name);
  }
  return {};
}

Status make_folder(const Target& target, const grpc::CopyFileRequest& request) {
  if (mkdirat(target.parent.get(), target.name.c_str(), 0700) < 0 && errno != EEXIST) {
    return fail_errno("mkdir " + target.name);
  }
  TRY(UniqueFd folder, beneath::open(target.parent.get(), target.name, O_RDONLY | O_DIRECTORY));
  if (fchmod(folder.get(), request.file_mode() & 07777) < 0) return fail_errno("chmod");
  return set_owner(target.parent.get(), target.name, request);
}

Status make_symlink(const Target& target, const grpc::CopyFileRequest& request) {
  TRY_STATUS(remove_entry(target.parent.get(), target.name));
  if (symlinkat(request.data().c_str(), target.parent.get(), target.name.c_str()) < 0) {
    return fail_errno("symlink " + target.name);
  }
  return set_owner(target.parent.get(), target.name, request);
}

Status write_chunk(int fd, int64_t offset, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = pwrite(fd, data.data(), data.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    data.remove_prefix(static_cast<size_t>(n));
    offset += n;
  }
  return {};
}

// The file that grows until it is whole. Whatever stands in its place is looked at before it is
// opened: opening a FIFO would wait, opening a device has effects, and a second link would be
// written through to somewhere else.
Result<UniqueFd> open_part(const Target& target, const std::string& part, bool fresh) {
  if (!fresh) {
    auto there = beneath::open(target.parent.get(), part, O_PATH | O_NOFOLLOW);
    if (!there && there.error().sys_errno() != ENOENT) return there;
    struct stat info {};
    if (there && fstat(there->get(), &info) < 0) return fail_errno("stat " + part);
    if (there && S_ISREG(info.st_mode) && info.st_nlink == 1) {
      return open_file(beneath::fd_path(there->get()), O_WRONLY);
    }
  }
  TRY_STATUS(remove_entry(target.parent.get(), part));
  return beneath::open(target.parent.get(), part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

Status write_regular(const Target& target, const grpc::CopyFileRequest& request) {
  if (request.offset() < 0 || request.file_size() < 0) {
    return fail(Code::kInvalidArgument, "negative size or offset");
  }
  std::string part = "." + target.name + ".part";
  TRY(UniqueFd file, open_part(target, part, request.offset() == 0));
  TRY_STATUS(in_step(target.name, write_chunk(file.get(), request.offset(), request.data())));
  struct stat info {};
  if (fstat(file.get(), &info) < 0) return fail_errno("stat");
  if (info.st_size < request.file_size()) return {};
  if (fchown(file.get(), owner(request.uid()), owner(request.gid())) < 0)
    return fail_errno("chown");
  if (fchmod(file.get(), request.file_mode() & 07777) < 0) return fail_errno("chmod");
  if (renameat(target.parent.get(), part.c_str(), target.parent.get(), target.name.c_str()) < 0) {
    return fail_errno("rename " + target.name);
  }
  return {};
}

}  // namespace

Status copy_file(const std::string& shared_dir, const grpc::CopyFileRequest& request) {
  TRY(Target target, in_step("copy file", open_parent(shared_dir, request)));
  switch (request.file_mode() & S_IFMT) {
    case S_IFDIR:
      return in_step("copy file", make_folder(target, request));
    case S_IFLNK:
      return in_step("copy file", make_symlink(target, request));
    case 0:
    case S_IFREG:
      return in_step("copy file", write_regular(target, request));
    default:
      return fail(Code::kInvalidArgument, "only files, folders and symlinks can be copied");
  }
}

}  // namespace kata::agent
