#include "agent/container/tmp_copy_up.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <string>

#include "base/unique_fd.h"

namespace kata::agent {
namespace {

// Deeper trees are refused: an image must not exhaust our descriptors.
constexpr int kMaxDepth = 64;

Status copy_tree(int from, int to, int depth);

Status copy_file(int from, int to, const char* name, const struct stat& info) {
  UniqueFd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!source) return fail_errno(std::string("open ") + name);
  UniqueFd target(openat(to, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!target) return fail_errno(std::string("create ") + name);
  for (off_t left = info.st_size; left > 0;) {
    ssize_t moved = sendfile(target.get(), source.get(), nullptr, static_cast<size_t>(left));
    if (moved < 0) return fail_errno(std::string("copy ") + name);
    if (moved == 0) break;
    left -= moved;
  }
  if (fchown(target.get(), info.st_uid, info.st_gid) < 0 ||
      fchmod(target.get(), info.st_mode & 07777) < 0) {
    return fail_errno(std::string("set owner and mode of ") + name);
  }
  return {};
}

Status copy_link(int from, int to, const char* name, const struct stat& info) {
  char text[PATH_MAX];
  ssize_t length = readlinkat(from, name, text, sizeof text - 1);
  if (length < 0) return fail_errno(std::string("read link ") + name);
  text[length] = '\0';
  if (symlinkat(text, to, name) < 0 ||
      fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return fail_errno(std::string("copy link ") + name);
  }
  return {};
}

Status copy_dir(int from, int to, const char* name, const struct stat& info, int depth) {
  UniqueFd source(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!source) return fail_errno(std::string("open ") + name);
  if (mkdirat(to, name, 0700) < 0) return fail_errno(std::string("mkdir ") + name);
  UniqueFd target(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!target) return fail_errno(std::string("open ") + name);
  TRY_STATUS(copy_tree(source.get(), target.get(), depth + 1));
  if (fchown(target.get(), info.st_uid, info.st_gid) < 0 ||
      fchmod(target.get(), info.st_mode & 07777) < 0) {
    return fail_errno(std::string("set owner and mode of ") + name);
  }
  return {};
}

Status copy_special(int to, const char* name, const struct stat& info) {
  if (mknodat(to, name, info.st_mode, info.st_rdev) < 0 ||
      fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return fail_errno(std::string("mknod ") + name);
  }
  return {};
}

Status copy_entry(int from, int to, const char* name, int depth) {
  struct stat info {};
  if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
    return fail_errno(std::string("stat ") + name);
  }
  if (S_ISREG(info.st_mode)) return copy_file(from, to, name, info);
  if (S_ISLNK(info.st_mode)) return copy_link(from, to, name, info);
  if (S_ISDIR(info.st_mode)) return copy_dir(from, to, name, info, depth);
  return copy_special(to, name, info);
}

Status copy_tree(int from, int to, int depth) {
  if (depth > kMaxDepth) return fail(Code::kResourceExhausted, "tmpcopyup: tree is too deep");
  int listed = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listed < 0) return fail_errno("open folder to copy");
  std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(listed), closedir);
  if (!dir) {
    close(listed);
    return fail_errno("list folder to copy");
  }
  while (true) {
    errno = 0;
    const dirent* entry = readdir(dir.get());
    if (!entry) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    TRY_STATUS(copy_entry(from, to, name.c_str(), depth));
  }
  if (errno != 0) return fail_errno("list folder to copy");
  return {};
}

}  // namespace

Status copy_up(int from, int to) {
  return in_step("tmpcopyup", copy_tree(from, to, 0));
}

}  // namespace kata::agent
