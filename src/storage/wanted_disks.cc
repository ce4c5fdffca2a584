#include "storage/wanted_disks.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
// Macros that would rename fields.
#undef major
#undef minor

#include "oci/block_devices.h"

namespace kata::storage {

namespace {

// More than any VM takes.
constexpr size_t kMaxDisks = 256;

// The node of the host under the path that it has in the container.
bool goes_by_its_own_name(const oci::BlockDevice& device) {
  struct stat info {};
  return lstat(device.path.c_str(), &info) == 0 && S_ISBLK(info.st_mode) &&
         info.st_rdev == gnu_dev_makedev(device.major, device.minor);
}

}  // namespace

Result<std::vector<WantedDisk>> wanted_disks(const grpc::Spec& spec) {
  std::vector<WantedDisk> wanted;
  for (const oci::BlockDevice& device : oci::block_devices(spec)) {
    if (!device.named && goes_by_its_own_name(device)) continue;
    const std::string place = "linux.devices[" + std::to_string(device.index) + "] " + device.path;
    TRY(HostDisk disk, in_step(place, find_block_device(device.major, device.minor)));
    if (wanted.size() >= kMaxDisks) {
      return fail(Code::kResourceExhausted,
                  "the container asks for more than " + std::to_string(kMaxDisks) + " disks");
    }
    const bool read_only = device.read_only || disk.read_only;
    wanted.push_back({device.index, device.path, read_only, std::move(disk)});
  }
  return wanted;
}

}  // namespace kata::storage
