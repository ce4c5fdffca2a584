#pragma once

#include <map>
#include <string>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::runtime {

// What a pod's containers find although their own specs do not say so. Container managers put it
// into the spec of a pod's first container and into files of their own; where the pod has no such
// container (containerd's Sandbox API) it is the runtime's to provide (docs/design/runtime.md).
struct PodSettings {
  // Destination in each container ("/etc/hosts") -> host file: the content at first, the path of
  // the written file after write_files().
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> sysctls;
  bool shares_pids = false;  // one PID namespace for the pod, held by the guest
};

// Below `root` each folder is one sandbox's; those that have none of that name in `states` were
// left by a reboot, which takes the journals away. Blocking.
void drop_forgotten_files(const std::string& root, const std::string& states);

// Writes the files (0644) into the folder, which it makes, under names of their own. Blocking.
Status write_files(PodSettings* pod, const std::string& folder);

// Adds to the spec what it does not have itself: mounts of the files and the pod's /dev/shm, which
// takes the place of a private tmpfs, and sysctls.
void complete_with(const PodSettings& pod, grpc::Spec* spec);

}  // namespace kata::runtime
