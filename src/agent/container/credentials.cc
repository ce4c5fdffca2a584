#include "agent/container/credentials.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <climits>
#include <vector>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr mode_t kDefaultUmask = 022;

// Lets the user reopen /dev/stdout and friends. Shared devices such as /dev/null stay as they are;
// objects that cannot change hands are left alone.
void own_standard_streams(uid_t uid) {
  for (int fd = 0; fd < 3; ++fd) {
    struct stat info {};
    if (fstat(fd, &info) < 0 || info.st_uid == uid) continue;
    if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3)) continue;
    (void)!fchown(fd, uid, static_cast<gid_t>(-1));
  }
}

Status set_ids(const grpc::User& user) {
  std::vector<gid_t> groups(user.additionalgids().begin(), user.additionalgids().end());
  // A user namespace without setgroups refuses; there is nothing to keep then either.
  if (setgroups(groups.size(), groups.data()) < 0 && !(errno == EPERM && groups.empty())) {
    return fail_errno("setgroups");
  }
  if (setresgid(user.gid(), user.gid(), user.gid()) < 0) {
    return fail_errno("setgid " + std::to_string(user.gid()));
  }
  if (setresuid(user.uid(), user.uid(), user.uid()) < 0) {
    return fail_errno("setuid " + std::to_string(user.uid()));
  }
  return {};
}

std::unexpected<Error> cwd_failure(const std::string& cwd, const char* step) {
  int number = errno;
  std::unexpected<Error> failure = fail_errno("cwd", number);
  return std::unexpected(Error(failure.error().code(),
                               step + std::string(" to cwd (\"") + cwd +
                                   "\") set in config.json failed: " + errno_text(number),
                               number));
}

}  // namespace

Status become_user(const grpc::Process& process, const CapabilitySets& sets) {
  own_standard_streams(process.user().uid());
  TRY_STATUS(apply_bounding_set(sets));
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail_errno("keep capabilities");
  TRY_STATUS(set_ids(process.user()));
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) return fail_errno("reset keep capabilities");
  umask(process.user().has_umask() ? process.user().umask() & 0777 : kDefaultUmask);
  return apply_capabilities(sets, uint64_t{1} << CAP_SYS_ADMIN);
}

Status finish_capabilities(const CapabilitySets& sets) {
  TRY_STATUS(apply_capabilities(sets, 0));
  apply_ambient_set(sets);
  return {};
}

Status enter_cwd(const grpc::Process& process) {
  const std::string& cwd = process.cwd().empty() ? "/" : process.cwd();
  if (chdir(cwd.c_str()) < 0) return cwd_failure(cwd, "chdir");
  // The raw call: the library would hide the kernel's "(unreachable)".
  char reached[PATH_MAX];
  if (syscall(SYS_getcwd, reached, sizeof reached) < 0 || reached[0] != '/') {
    return fail(Code::kPermissionDenied,
                "current working directory is outside of container mount namespace root");
  }
  return {};
}

}  // namespace kata::agent
