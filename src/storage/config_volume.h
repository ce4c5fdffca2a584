#pragma once

#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "oci/transform.h"

// Volumes of configuration (Kubernetes' ConfigMap, Secret, projected and downwardAPI): kubelet
// changes them while containers run, by renaming one link, and programs wait for that by inotify.
// A shared folder does not tell the guest's kernel of changes on the host, so the guest keeps a
// copy (storage driver `watchable-bind`, facts/runtime-behaviour.md section 3.3).
namespace kata::storage {

// Where the copies lie in the guest, as upstream has it.
inline constexpr std::string_view kGuestWatchable =
    "/run/kata-containers/shared/containers/watchable";

struct ConfigVolume {
  std::string host_path;  // of the volume, as the shared tree has it
  grpc::Storage storage;
};

// Of the mounts that context->mounts shares: gives those of read-only volumes of configuration a
// copy in the guest as their source and returns what the guest has to make. A volume is known by
// the folder of kubelet that it lies in; a subPath lies elsewhere and never changes, as without a
// VM. Blocking.
std::vector<ConfigVolume> place_config_volumes(const grpc::Spec& spec, const std::string& exported,
                                               oci::GuestContext* context);

}  // namespace kata::storage
