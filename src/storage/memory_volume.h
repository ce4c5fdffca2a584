#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.pb.h"
#include "oci/transform.h"
#include "storage/mount_table.h"

// Volumes in memory (Kubernetes' emptyDir with medium Memory or HugePages): kubelet makes a tmpfs
// or hugetlbfs of the node and has it bound into the containers. In a VM the memory has to be the
// guest's, where the limits of the containers count it, so the guest gets a file system of the same
// kind, size, mode and group instead (facts/runtime-behaviour.md section 3.3). It lives as long as
// the VM: containers of the pod share it, and a restarted one finds its content.
//
// A tmpfs that nobody limited has half of the machine's memory: in the guest half of the guest's,
// also when that has grown. A hugetlbfs has as much as the container may use of its page size.
namespace kata::storage {

inline constexpr std::string_view kGuestEphemeral = "/run/kata-containers/sandbox/ephemeral";

// Where a folder of the node lies in such a volume.
struct VolumePlace {
  std::string name;     // of the volume: its folder's name on the node
  std::string point;    // the volume on the node
  std::string inside;   // path below it: "" or "/sub/path", for a subPath
  bool limited = true;  // has a size of its own
};

// The place of the folder `path`, which is on the mount `mount_id`; nullopt when the table shows no
// volume in memory there. A subPath is another mount of the same file system.
std::optional<VolumePlace> find_memory_volume(const std::vector<MountEntry>& table,
                                              uint64_t mount_id, const std::string& path);

// Enters the bind mounts of such volumes in context->mounts; returns what the guest has to make for
// them. kInvalidArgument for huge pages that the container has no limit for. Blocking.
Result<std::vector<grpc::Storage>> place_memory_volumes(const grpc::Spec& spec,
                                                        oci::GuestContext* context);

// Whether such a volume grows with the guest's memory, and the request that makes it.
bool follows_memory(const grpc::Storage& storage);
grpc::Storage resized_to_memory(const std::string& mount_point);

// Bytes of a page size as the runtime-spec writes it (linux.resources.hugepageLimits), such as
// "2MB" or "1GB"; 0 for anything else.
uint64_t parse_page_size(std::string_view text);

}  // namespace kata::storage
