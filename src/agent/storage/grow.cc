#include "agent/storage/grow.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>

#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

// linux/ext4.h is no part of the kernel's exported headers before 6.1.
constexpr unsigned long kExt4Resize = _IOW('f', 16, uint64_t);
constexpr uint64_t kSector = 512;

uint64_t sectors(const std::string& folder) {
  auto text = read_file(folder + "/size", 64);
  uint64_t count = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), count);
  return count;
}

// The disk below a mount as sysfs shows it.
Result<std::string> disk_folder(int fd) {
  struct stat info {};
  if (fstat(fd, &info) < 0) return fail_errno("stat");
  if (gnu_dev_major(info.st_dev) == 0) {
    return fail(Code::kInvalidArgument, "has no disk of its own below it");
  }
  return "/sys/dev/block/" + std::to_string(gnu_dev_major(info.st_dev)) + ":" +
         std::to_string(gnu_dev_minor(info.st_dev));
}

Status grow_ext4(int fd, uint64_t blocks) {
  if (ioctl(fd, kExt4Resize, &blocks) == 0) return {};
  if (errno == EINVAL) {
    return fail(Code::kInvalidArgument, "ext4 cannot be made smaller, nor larger than its disk");
  }
  return fail_errno("grow ext4");
}

}  // namespace

Task<Status> grow_volume(UeventMonitor& uevents, Clock::duration limit, std::string path,
                         uint64_t bytes) {
  CO_TRY(UniqueFd root, beneath::open_absolute(path, O_RDONLY | O_DIRECTORY));
  const std::string step = "volume " + path;
  CO_TRY(std::string folder, in_step(step, disk_folder(root.get())));
  // A SCSI disk has to be asked; others tell by themselves.
  const std::string rescan = folder + "/device/rescan";
  if (path_exists(rescan)) CO_TRY_STATUS(in_step(step, write_existing(rescan, "1")));
  auto look = [folder, bytes]() -> std::optional<std::string> {
    if (sectors(folder) < bytes / kSector) return std::nullopt;
    return folder;
  };
  auto grown = co_await uevents.await_device("new size of the disk", std::move(look), limit);
  if (!grown) co_return std::unexpected(std::move(grown.error()).context(step));
  struct statfs info {};
  if (fstatfs(root.get(), &info) < 0) co_return fail_errno(step);
  if (static_cast<uint64_t>(info.f_type) != EXT4_SUPER_MAGIC) {
    co_return fail(Code::kUnimplemented, step + ": only ext4 can be grown while it is mounted");
  }
  co_return in_step(step, grow_ext4(root.get(), bytes / static_cast<uint64_t>(info.f_bsize)));
}

Status flush_volume(const std::string& path) {
  TRY(UniqueFd root, beneath::open_absolute(path, O_RDONLY | O_NONBLOCK));
  if (syncfs(root.get()) < 0) return fail_errno("write out " + path);
  return {};
}

}  // namespace kata::agent
