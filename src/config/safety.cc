#include "config/safety.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace kata::config {
namespace {

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Code::kPermissionDenied, "configuration file " + path + ": " + why);
}

Status check(const std::string& path, const struct stat& info, bool check_owner) {
  if (!S_ISREG(info.st_mode)) return refuse(path, "is not a regular file");
  if (info.st_size > static_cast<off_t>(kMaxConfigSize)) {
    return refuse(path, "is larger than " + std::to_string(kMaxConfigSize) + " bytes");
  }
  if (!check_owner || geteuid() != 0) return {};
  if (info.st_uid != 0) {
    return refuse(path, "belongs to user " + std::to_string(info.st_uid) +
                            " instead of root; run: chown root:root " + path);
  }
  if (info.st_mode & (S_IWGRP | S_IWOTH)) {
    return refuse(path, "may be written by others than root; run: chmod go-w " + path);
  }
  return {};
}

}  // namespace

Result<std::string> read_trusted(const std::string& path, bool check_owner) {
  // O_NONBLOCK: opening a fifo must not wait for a writer.
  TRY(UniqueFd fd,
      in_step("configuration file", open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return fail_errno("stat " + path);
  TRY_STATUS(check(path, info, check_owner));
  return in_step("configuration file " + path, read_fd(fd.get(), kMaxConfigSize));
}

}  // namespace kata::config
