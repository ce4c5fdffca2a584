#include "storage/host_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "storage/bind.h"

namespace kata::storage {

namespace {

struct Host {
  UniqueFd mounts;  // mount namespace; empty: never left
  UniqueFd root;    // the root folder in it, which a chroot may have moved
};

Host& host() {
  static Host kept;
  return kept;
}

// Only for a thread that ends afterwards: there is no way back.
Status enter_host() {
  if (::unshare(CLONE_FS) < 0) return fail_errno("working folder of its own");
  if (setns(host().mounts.get(), CLONE_NEWNS) < 0) return fail_errno("mounts of the host");
  if (fchdir(host().root.get()) < 0 || chroot(".") < 0) return fail_errno("root of the host");
  return {};
}

}  // namespace

Status leave_host_mounts() {
  Host left;
  TRY(left.mounts, open_file("/proc/self/ns/mnt", O_RDONLY));
  TRY(left.root, open_file("/", O_PATH | O_DIRECTORY));
  if (::unshare(CLONE_NEWNS) < 0) return fail_errno("new mount namespace");
  // Slave first, so that nothing goes back to the host; shared again, so that namespaces made from
  // this one (VMM, file-system daemon) still see later mounts.
  if (mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) {
    return fail_errno("make / a slave mount");
  }
  if (mount("none", "/", nullptr, MS_REC | MS_SHARED, nullptr) < 0) {
    return fail_errno("make / a shared mount");
  }
  host() = std::move(left);
  return {};
}

Status in_host_mounts(const std::function<Status()>& act) {
  if (!host().mounts) return act();
  Status result;
  std::thread([&] {
    result = enter_host();
    if (result) result = act();
  }).join();
  return result;
}

Result<UniqueFd> open_on_host(const std::string& path, int flags) {
  UniqueFd file;
  TRY_STATUS(in_host_mounts([&]() -> Status {
    TRY(file, open_file(path, flags));
    return {};
  }));
  return file;
}

Result<UniqueFd> clone_on_host(int fd, bool recursive, uint64_t propagation) {
  UniqueFd copy;
  TRY_STATUS(in_host_mounts([&]() -> Status {
    TRY(copy, clone_mount(fd, recursive, propagation));
    return {};
  }));
  return copy;
}

}  // namespace kata::storage
