#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.pb.h"
#include "base/error.h"
#include "base/unique_fd.h"

// Direct-assigned volumes: a storage driver leaves a note about the disk of a volume instead of
// mounting it on the node, and the guest mounts the disk itself (facts/cli-and-monitor.md section
// 1.7). The note is mountInfo.json in a folder named by the volume's path. The folder is root's
// alone; what is in it is checked all the same. Blocking calls.
namespace kata::storage {

inline constexpr std::string_view kDirectVolumes = "/run/kata-containers/shared/direct-volumes";
// The note in a volume's folder; beside it each sandbox that uses the volume has an empty file.
inline constexpr std::string_view kVolumeNote = "mountInfo.json";
// Where the guest mounts them.
inline constexpr std::string_view kGuestStorage = "/run/kata-containers/sandbox/storage";

struct DirectVolume {
  std::string device;   // of the host: a block device or the file of an image
  std::string fs_type;  // "ext4"
  std::vector<std::string> options;
  std::optional<grpc::FSGroup> group;

  bool read_only() const;
};

// The content of a note. kInvalidArgument names the member that is wrong, kUnimplemented a type of
// volume that needs another device than a disk.
Result<DirectVolume> parse_direct_volume(std::string_view json);

// The notes of a host. `root` is another folder in tests.
class DirectVolumes {
 public:
  explicit DirectVolumes(std::string root = std::string(kDirectVolumes)) : root_(std::move(root)) {}

  // Folder of a volume; kInvalidArgument for a path that is not absolute or too long for a name.
  Result<std::string> folder(const std::string& volume) const;
  // Leaves or replaces the note, byte for byte as given, after a look whether it is one.
  Status add(const std::string& volume, std::string_view json) const;
  // kNotFound when there is none.
  Status remove(const std::string& volume) const;
  // nullopt: an ordinary folder or file of the host.
  Result<std::optional<DirectVolume>> find(const std::string& volume) const;
  // Held as long as a sandbox uses the volume: by many who read, or by one who writes. A file
  // system that two kernels write to is lost. kFailedPrecondition when another one has it.
  Result<UniqueFd> lock(const std::string& volume, bool read_only) const;
  // Sandboxes that left their mark in the folder, sorted.
  Result<std::vector<std::string>> users(const std::string& volume) const;

 private:
  std::string root_;
};

// Name of a volume's folder, and of its mount point in the guest: base64url with padding, RFC 4648
// section 5.
std::string volume_name(std::string_view path);

}  // namespace kata::storage
