#pragma once

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/unique_fd.h"

namespace kata::test {

// A loop device on a file of its own, gone with the object. Needs root; path() is empty when the
// machine has none to give.
class LoopDevice {
 public:
  explicit LoopDevice(off_t size, bool read_only = false) {
    file_path_ = "/tmp/kata-loop-XXXXXX";
    file_ = UniqueFd(mkstemp(file_path_.data()));
    if (ftruncate(file_.get(), size) < 0) return;
    UniqueFd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control) return;
    // Another one may take the free one before us.
    for (int round = 0; round < 20; ++round) {
      const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) return;
      std::string path = "/dev/loop" + std::to_string(number);
      UniqueFd device(open(path.c_str(), O_RDWR | O_CLOEXEC));
      loop_config config{};
      config.fd = static_cast<__u32>(file_.get());
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
      if (!device || ioctl(device.get(), LOOP_CONFIGURE, &config) < 0) continue;
      device_ = std::move(device);
      path_ = std::move(path);
      return;
    }
  }
  ~LoopDevice() { unlink(file_path_.c_str()); }
  LoopDevice(const LoopDevice&) = delete;

  const std::string& path() const { return path_; }
  const std::string& file_path() const { return file_path_; }
  dev_t number() const {
    struct stat info {};
    return stat(path_.c_str(), &info) == 0 ? info.st_rdev : 0;
  }
  // Of the file and the device.
  bool resize(off_t size) {
    return ftruncate(file_.get(), size) == 0 && ioctl(device_.get(), LOOP_SET_CAPACITY) == 0;
  }

 private:
  std::string path_, file_path_;
  UniqueFd file_, device_;
};

}  // namespace kata::test
