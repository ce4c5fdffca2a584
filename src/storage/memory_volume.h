#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.pb.h"
#include "oci/transform.h"
#include "storage/mount_table.h"

// Volumes in memory (Kubernetes' emptyDir with medium Memory): kubelet makes a tmpfs of the node
// and has it bound into the containers. In a VM the memory has to be the guest's, where the limits
// of the containers count it, so the guest gets a tmpfs of the same size, mode and group instead
// (facts/runtime-behaviour.md section 3.3). It lives as long as the VM: containers of the pod share
// it, and a restarted one finds its content.
namespace kata::storage {

inline constexpr std::string_view kGuestEphemeral = "/run/kata-containers/sandbox/ephemeral";

// Where a folder of the node lies in such a volume.
struct VolumePlace {
  std::string name;    // of the volume: its folder's name on the node
  std::string point;   // the volume on the node
  std::string inside;  // path below it: "" or "/sub/path", for a subPath
};

// The place of the folder `path`, which is on the mount `mount_id`; nullopt when the table shows no
// volume in memory there. A subPath is another mount of the same file system.
std::optional<VolumePlace> find_memory_volume(const std::vector<MountEntry>& table,
                                              uint64_t mount_id, const std::string& path);

// Enters the bind mounts of such volumes in context->mounts; returns what the guest has to make for
// them. Blocking.
Result<std::vector<grpc::Storage>> place_memory_volumes(const grpc::Spec& spec,
                                                        oci::GuestContext* context);

}  // namespace kata::storage
