#pragma once

#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "journal/journal.h"
#include "storage/unmount.h"

// The root file system of a container on the host: <bundle>/rootfs (facts/shim-v2.md sections 3 and
// 14.5). Blocking calls.
namespace kata::storage {

// One mount of containerd's Create request.
struct RootfsMount {
  std::string type;
  std::string source;
  std::string target;  // path below the root, empty = the root itself (containerd 2.x)
  std::vector<std::string> options;
};

// Mounts the list in order on <bundle>/rootfs and returns the root's absolute path. An empty list
// means that the spec's root.path is ready: it is checked and returned. Nothing stays mounted on
// failure.
//
// A mount is what its type says and nothing else: no block device is ever guessed from a source
// (CVE-2026-24054). kInvalidArgument for such a list, kNotFound for a bundle without a root file
// system, kUnimplemented for kinds that only other runtimes' helpers can mount.
Result<std::string> mount_rootfs(const std::vector<RootfsMount>& mounts, const std::string& bundle,
                                 const grpc::Spec& spec, Journal& journal);

// Frees what mount_rootfs() mounted and strikes it from the journal; idempotent.
Status unmount_rootfs(const std::string& bundle, Journal& journal);

}  // namespace kata::storage
