#pragma once

#include <string>
#include <string_view>

#include "agent/oci.pb.h"

namespace kata::oci {

// Entry of the namespace list with that type ("network", "pid", ...), or null.
const grpc::LinuxNamespace* find_namespace(const grpc::Spec& spec, std::string_view type);

// Where the network of a sandbox comes from.
struct NetworkNamespace {
  bool requested = false;  // the spec lists a network namespace
  std::string path;        // existing one to use; empty = the runtime makes one
};
// Docker lists the namespace without a path and plugs its interfaces into the one that the runtime
// made (facts/oci-cli.md 2.6). Whether a path is the host's own is the caller's check.
NetworkNamespace network_namespace(const grpc::Spec& spec);

// The spec wants to join a PID namespace that exists: a pod with a shared one, or, in CRI-O's words
// without any entry, the node's, for which that of the pod stands.
bool joins_pid_namespace(const grpc::Spec& spec);

}  // namespace kata::oci
