#include "runtime/sandbox_lock.h"

#include <fcntl.h>
#include <sys/file.h>

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
  return folder;
}

}  // namespace kata::runtime
