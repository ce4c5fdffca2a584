#include "agent/container/self_image.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "agent/container/emulation.h"
#include "base/file.h"
#include "base/unique_fd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace kata::agent {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<UniqueFd> make_memfd() {
  int fd = memfd_create("kata-agent", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  // Kernels before 6.3 do not know MFD_EXEC and make every memfd executable.
  if (fd < 0 && errno == EINVAL) fd = memfd_create("kata-agent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fail_errno("create memory file for the agent's image");
  return UniqueFd(fd);
}

bool is_sealed(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

bool in_memory(int fd) {
  struct statfs where {};
  return fstatfs(fd, &where) == 0 && (where.f_type == RAMFS_MAGIC || where.f_type == TMPFS_MAGIC);
}

Result<UniqueFd> make_image() {
  TRY(UniqueFd self, open_file(kSelf, O_RDONLY));
  if (is_sealed(self.get())) return self;

  struct stat info {};
  if (fstat(self.get(), &info) < 0) return fail_errno("stat the agent's image");
  TRY(UniqueFd copy, make_memfd());
  for (off_t left = info.st_size; left > 0;) {
    ssize_t moved = sendfile(copy.get(), self.get(), nullptr, static_cast<size_t>(left));
    if (moved < 0) return fail_errno("copy the agent's image");
    if (moved == 0) return fail(Code::kDataLoss, "the agent's image shrank while it was copied");
    left -= moved;
  }
  if (fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0) return fail_errno("seal the agent's image");
  // A read-only description: the writable one would make execve fail with ETXTBSY.
  return open_file("/proc/self/fd/" + std::to_string(copy.get()), O_RDONLY);
}

}  // namespace

Result<int> sealed_self_image() {
  static UniqueFd image;
  if (!image) {
    TRY(image, make_image());
  }
  return image.get();
}

Status continue_from_sealed_image(char** argv) {
  TRY(UniqueFd self, open_file(kSelf, O_RDONLY));
  if (is_sealed(self.get())) {
    want_random_addresses();
    // The kernel named the process after a descriptor.
    prctl(PR_SET_NAME, "kata-agent", 0, 0, 0);
    return {};
  }
  if (!in_memory(self.get())) return {};
  TRY(int image, sealed_self_image());
  char file[PATH_MAX] = {};
  if (readlink(kSelf, file, sizeof file - 1) < 0) return fail_errno("name of the agent's file");
  if (unlink(file) < 0) return fail_errno(std::string("remove ") + file);
  // Children run at these addresses too, and find what is translated here.
  prefer_known_addresses();
  fexecve(image, argv, environ);
  const int reason = errno;
  want_random_addresses();
  return fail_errno("execute the sealed image", reason);
}

}  // namespace kata::agent
