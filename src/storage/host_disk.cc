#include "storage/host_disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"

namespace kata::storage {

namespace {

constexpr std::string_view kNameField = "DEVNAME=";
// A disk may be slow to open, but nothing here waits for a medium.
constexpr int kLook = O_RDONLY | O_NONBLOCK;

// "7:3".
std::string numbers(dev_t device) {
  return std::to_string(gnu_dev_major(device)) + ":" + std::to_string(gnu_dev_minor(device));
}

// The kernel's name of the node, below /dev.
Result<std::string> node_of(dev_t device) {
  auto text = read_file("/sys/dev/block/" + numbers(device) + "/uevent", 64 << 10);
  if (!text) return fail(Code::kNotFound, "this host has no block device " + numbers(device));
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    if (line.starts_with(kNameField)) return "/dev/" + line.substr(kNameField.size());
    begin = end + 1;
  }
  return fail(Code::kNotFound, "block device " + numbers(device) + " has no name");
}

// Size and access of an open disk.
Status look_at(int fd, const struct stat& info, HostDisk* disk) {
  if (S_ISREG(info.st_mode)) {
    disk->key = "file " + std::to_string(info.st_dev) + " " + std::to_string(info.st_ino);
    disk->bytes = static_cast<uint64_t>(info.st_size);
  } else {
    disk->is_block = true;
    disk->key = "block " + numbers(info.st_rdev);
    int read_only = 0;
    if (ioctl(fd, BLKROGET, &read_only) < 0 || ioctl(fd, BLKGETSIZE64, &disk->bytes) < 0) {
      return fail_errno("size of " + disk->path);
    }
    disk->read_only = read_only != 0;
  }
  if (disk->bytes > 0) return {};
  return fail(Code::kFailedPrecondition,
              disk->path + " has size 0: there is no medium, or no file behind a loop device");
}

}  // namespace

Result<HostDisk> find_block_device(uint32_t major_number, uint32_t minor_number) {
  const dev_t device = gnu_dev_makedev(major_number, minor_number);
  HostDisk disk;
  TRY(disk.path, node_of(device));
  TRY(UniqueFd fd, open_file(disk.path, kLook));
  struct stat info {};
  if (fstat(fd.get(), &info) < 0) return fail_errno("stat " + disk.path);
  if (!S_ISBLK(info.st_mode) || info.st_rdev != device) {
    return fail(Code::kFailedPrecondition, disk.path + " is not block device " + numbers(device));
  }
  TRY_STATUS(look_at(fd.get(), info, &disk));
  return disk;
}

Result<HostDisk> find_disk(const std::string& path) {
  if (!path.starts_with('/')) {
    return fail(Code::kInvalidArgument, "disk \"" + path + "\" is no absolute path");
  }
  // First without opening it: a fifo or a terminal must not feel anything.
  struct stat info {};
  if (stat(path.c_str(), &info) < 0) return fail_errno("disk " + path);
  if (S_ISBLK(info.st_mode)) {
    return find_block_device(gnu_dev_major(info.st_rdev), gnu_dev_minor(info.st_rdev));
  }
  HostDisk disk;
  disk.path = path;
  if (!S_ISREG(info.st_mode)) {
    return fail(Code::kInvalidArgument, path + " is neither a block device nor a file");
  }
  TRY(UniqueFd fd, open_file(path, kLook));
  if (fstat(fd.get(), &info) < 0) return fail_errno("stat " + path);
  if (!S_ISREG(info.st_mode)) return fail(Code::kAborted, path + " was exchanged by somebody");
  TRY_STATUS(look_at(fd.get(), info, &disk));
  return disk;
}

Result<uint64_t> disk_size(const HostDisk& disk) {
  TRY(HostDisk now, find_disk(disk.path));
  if (now.key == disk.key) return now.bytes;
  return fail(Code::kAborted, disk.path + " is another disk than before");
}

}  // namespace kata::storage
