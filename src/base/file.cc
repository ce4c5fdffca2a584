#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace kata {

namespace {

Result<std::unique_ptr<DIR, int (*)(DIR*)>> open_dir_stream(UniqueFd fd, std::string_view path) {
  DIR* stream = fdopendir(fd.get());
  if (!stream) return fail_errno("read folder " + std::string(path));
  [[maybe_unused]] int owned = fd.release();
  return std::unique_ptr<DIR, int (*)(DIR*)>(stream, &closedir);
}

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

// A bind mount of the same file system has the same st_dev: only the kernel can tell.
UniqueFd open_same_mount(int parent, const char* name) {
  struct open_how how {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, parent, name, &how, sizeof how)));
}

std::unexpected<Error> fail_child(const std::string& name) {
  if (errno == EXDEV) return fail(Code::kFailedPrecondition, name + " is a mount point");
  return fail_errno("open " + name);
}

Status remove_children(UniqueFd dir, int depth) {
  constexpr int kMaxDepth = 256;
  if (depth > kMaxDepth) return fail(Code::kFailedPrecondition, "tree is too deep");
  TRY(auto stream, open_dir_stream(std::move(dir), "tree"));
  int fd = dirfd(stream.get());
  while (dirent* entry = readdir(stream.get())) {
    if (is_dots(entry->d_name)) continue;
    UniqueFd child = open_same_mount(fd, entry->d_name);
    const bool is_dir = static_cast<bool>(child);
    if (is_dir) {
      TRY_STATUS(remove_children(std::move(child), depth + 1));
    } else if (errno == ENOENT) {
      continue;
    } else if (errno != ENOTDIR && errno != ELOOP) {
      return fail_child(entry->d_name);
    }
    if (unlinkat(fd, entry->d_name, is_dir ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT) {
      return fail_errno(std::string("remove ") + entry->d_name);
    }
  }
  return {};
}

}  // namespace

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return fail_errno("open " + path);
  return fd;
}

Result<std::string> read_fd(int fd, size_t limit) {
  std::string content;
  size_t used = 0;
  while (true) {
    if (used > limit) return fail(Code::kResourceExhausted, "larger than the limit");
    content.resize(used + 16384);
    ssize_t n = ::read(fd, content.data() + used, content.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read");
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  content.resize(used);
  return content;
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  TRY(UniqueFd fd, open_file(path, O_RDONLY));
  return in_step("read " + path, read_fd(fd.get(), limit));
}

Status write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    data.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status write_existing(const std::string& path, std::string_view data) {
  TRY(UniqueFd fd, open_file(path, O_WRONLY));
  // One write: kernel files take a value whole.
  if (::write(fd.get(), data.data(), data.size()) < 0) return fail_errno("write " + path);
  return {};
}

Status write_file(const std::string& path, std::string_view data, mode_t mode) {
  TRY(UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  return in_step("write " + path, write_all(fd.get(), data));
}

Status write_file_atomic(const std::string& path, std::string_view data, mode_t mode) {
  const std::string temporary =
      dirname(path) + "/." + basename(path) + "." + std::to_string(getpid());
  // Of a process before us that did not come to its end. Never written through: it may be a link.
  ::unlink(temporary.c_str());
  TRY(UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
  if (auto written = write_all(fd.get(), data); !written) {
    ::unlink(temporary.c_str());
    return in_step("write " + path, std::move(written));
  }
  if (::rename(temporary.c_str(), path.c_str()) < 0) {
    int saved = errno;
    ::unlink(temporary.c_str());
    return fail_errno("rename to " + path, saved);
  }
  return {};
}

bool path_exists(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Status make_dir(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return fail_errno("mkdir " + path);
  return {};
}

Status make_dirs(const std::string& path, mode_t mode) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    TRY_STATUS(make_dir(path.substr(0, slash), mode));
  }
  return make_dir(path, mode);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return fail_errno("remove " + path);
  return {};
}

Status remove_tree(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return {};
    if (errno == ENOTDIR || errno == ELOOP) return remove_file(path);
    return fail_errno("open " + path);
  }
  TRY_STATUS(in_step("remove " + path, remove_children(std::move(fd), 0)));
  if (::rmdir(path.c_str()) < 0 && errno != ENOENT) return fail_errno("remove folder " + path);
  return {};
}

Status remove_tree_at(int parent, const std::string& name) {
  UniqueFd fd = open_same_mount(parent, name.c_str());
  const bool is_dir = static_cast<bool>(fd);
  if (is_dir) {
    TRY_STATUS(in_step("remove " + name, remove_children(std::move(fd), 0)));
  } else if (errno == ENOENT) {
    return {};
  } else if (errno != ENOTDIR && errno != ELOOP) {
    return fail_child(name);
  }
  if (unlinkat(parent, name.c_str(), is_dir ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT) {
    return fail_errno("remove " + name);
  }
  return {};
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  TRY(UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  TRY(auto stream, open_dir_stream(std::move(fd), path));
  std::vector<std::string> names;
  while (dirent* entry = readdir(stream.get())) {
    if (!is_dots(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

std::string dirname(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string basename(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace kata
