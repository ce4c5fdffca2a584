#pragma once

#include <string>

#include "agent/oci.pb.h"
#include "base/error.h"

// Which Kubernetes pod a sandbox is: the labels that the monitor puts on its figures. A file,
// because the monitor knows nothing of container managers.
namespace kata::runtime {

struct PodIdentity {
  std::string uid, name, name_space;
};

// From the annotations of containerd's CRI or CRI-O; empty for what is no pod.
PodIdentity pod_identity(const grpc::Spec& spec);
// Writes the file; nothing for what is no pod.
Status write_pod_file(const grpc::Spec& spec, const std::string& path);
// Reads it. Empty when there is none, as for sandboxes of other runtimes.
PodIdentity read_pod_file(const std::string& path);

}  // namespace kata::runtime
