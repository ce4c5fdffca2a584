#include "runtime/sandbox_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

namespace kata::runtime {

Result<UniqueFd> lock_sandbox(const SandboxPaths& paths) {
  UniqueFd folder(::open(paths.state.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    if (errno == ENOENT) return UniqueFd();
    return fail_errno("open " + paths.state);
  }
  if (flock(folder.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return fail_errno("lock " + paths.state);
    return fail(Code::kAlreadyExists,
                paths.state +
                    " belongs to a running sandbox of the same id (of another containerd "
                    "or another namespace?); choose another id");
  }
  // Removed between the two calls, and perhaps made anew by a sandbox that does not hold this lock.
  struct stat held {
  }, named{};
  if (fstat(folder.get(), &held) < 0) return fail_errno("look at " + paths.state);
  if (lstat(paths.state.c_str(), &named) < 0) {
    if (errno == ENOENT) return UniqueFd();
    return fail_errno("look at " + paths.state);
  }
  if (held.st_dev == named.st_dev && held.st_ino == named.st_ino) return folder;
  return fail(Code::kAlreadyExists, paths.state + " was made anew by another sandbox just now");
}

Result<UniqueFd> lock_sandbox_patiently(const SandboxPaths& paths) {
  constexpr int kTries = 10;
  for (int i = 1;; ++i) {
    auto lock = lock_sandbox(paths);
    if (lock || lock.error().code() != Code::kAlreadyExists || i == kTries) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace kata::runtime
