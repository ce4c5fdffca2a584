#include "agent/guest/machine.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/time.h>

#include <charconv>

#include "base/file.h"

namespace kata::agent {

Status reseed_random(std::string_view data) {
  TRY(UniqueFd device, open_file("/dev/random", O_WRONLY));
  TRY_STATUS(in_step("/dev/random", write_all(device.get(), data)));
  int bits = static_cast<int>(data.size() * 8);
  if (ioctl(device.get(), RNDADDTOENTCNT, &bits) < 0) return fail_errno("credit entropy");
  if (ioctl(device.get(), RNDRESEEDCRNG, 0) < 0) return fail_errno("reseed generator");
  return {};
}

Status set_clock(int64_t seconds, int64_t microseconds) {
  timeval now{.tv_sec = seconds, .tv_usec = microseconds};
  if (settimeofday(&now, nullptr) < 0) return fail_errno("set clock");
  return {};
}

Status add_swap(const std::string& node) {
  if (swapon(node.c_str(), 0) < 0) return fail_errno("swap on " + node);
  return {};
}

Result<grpc::VolumeStatsResponse> volume_stats(const std::string& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) < 0) return fail_errno("volume " + path);
  grpc::VolumeStatsResponse response;
  auto* bytes = response.add_usage();
  bytes->set_unit(grpc::VolumeUsage::BYTES);
  bytes->set_total(info.f_blocks * info.f_frsize);
  bytes->set_available(info.f_bavail * info.f_frsize);
  bytes->set_used((info.f_blocks - info.f_bfree) * info.f_frsize);
  auto* inodes = response.add_usage();
  inodes->set_unit(grpc::VolumeUsage::INODES);
  inodes->set_total(info.f_files);
  inodes->set_available(info.f_favail);
  inodes->set_used(info.f_files - info.f_ffree);
  response.mutable_volume_condition()->set_abnormal(false);
  response.mutable_volume_condition()->set_message("OK");
  return response;
}

uint64_t memory_block_size(const std::string& sysfs) {
  auto text = read_file(sysfs + "/devices/system/memory/block_size_bytes");
  uint64_t size = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), size, 16);
  return size;
}

bool has_memory_probe(const std::string& sysfs) {
  return path_exists(sysfs + "/devices/system/memory/probe");
}

}  // namespace kata::agent
