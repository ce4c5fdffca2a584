#include "base/path_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kata::beneath {

namespace {

constexpr uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

Result<UniqueFd> resolve_open(int root, const std::string& path, int flags, mode_t mode,
                              uint64_t resolve) {
  struct open_how how {};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  // openat2 refuses a mode when nothing is created.
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) ? mode : 0;
  how.resolve = resolve;
  const char* name = path.empty() ? "." : path.c_str();
  // EAGAIN: a rename somewhere raced with the resolution of "..".
  for (int attempt = 0; attempt < 128; ++attempt) {
    UniqueFd fd(static_cast<int>(syscall(SYS_openat2, root, name, &how, sizeof how)));
    if (fd) return fd;
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return fail_errno("open " + path + " beneath its root");
}

}  // namespace

Result<UniqueFd> open(int root, const std::string& path, int flags, mode_t mode) {
  return resolve_open(root, path, flags, mode, kBeneath);
}

Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode) {
  return resolve_open(root, path, flags, mode, kInRoot);
}

Result<UniqueFd> open_absolute(const std::string& path, int flags) {
  const size_t begin = path.find_first_not_of('/');
  if (begin == 0) return fail(Code::kInvalidArgument, "\"" + path + "\" is not an absolute path");
  UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("open /");
  return open(root.get(), begin == std::string::npos ? "" : path.substr(begin), flags);
}

Result<UniqueFd> make_dirs(int root, const std::string& path, mode_t mode, bool in_root) {
  const uint64_t resolve = in_root ? kInRoot : kBeneath;
  const int flags = O_PATH | O_DIRECTORY;
  TRY(UniqueFd current, resolve_open(root, ".", flags, 0, resolve));
  std::string done;
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") return fail(Code::kInvalidArgument, "'..' in " + path);
    if (mkdirat(current.get(), name.c_str(), mode) < 0 && errno != EEXIST) {
      return fail_errno("mkdir " + name + " of " + path);
    }
    if (!done.empty()) done += '/';
    done += name;
    // From the root each time: a symlink in the middle resolves inside the root, not the parent.
    TRY(current, resolve_open(root, done, flags, 0, resolve));
  }
  return current;
}

std::string fd_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace kata::beneath
