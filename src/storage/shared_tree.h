#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "journal/journal.h"
#include "oci/transform.h"

namespace kata::storage {

inline constexpr std::string_view kSharedRoot = "/run/kata-containers/shared/sandboxes";
// Where the guest mounts the exported folder, and the tag that it mounts (facts/agent-protocol.md
// 8).
inline constexpr std::string_view kGuestShared = "/run/kata-containers/shared/containers";
inline constexpr std::string_view kSharedTag = "kataShared";
// Folders of the tree that are no container's: one that the guest mounts its copies of volumes on,
// and one for what services of the guest are given.
inline constexpr std::string_view kWatchableFolder = "watchable";
inline constexpr std::string_view kSandboxMounts = "sandbox-mounts";

// Host side of the file tree that a sandbox shares with its guest: <root>/<sandbox>/{mounts,shared}
// (facts/runtime-behaviour.md section 4.1, docs/design/storage.md). Owns the mounts and folders it
// makes; all are in the journal first. The destructor frees nothing: destroy(), or a replay of the
// journal, does. Blocking calls; one thread at a time.
//
// The guest can write to what is mounted in the tree, so no path below it is resolved by string.
class SharedTree {
 public:
  // kAlreadyExists when the sandbox has a tree already.
  static Result<std::unique_ptr<SharedTree>> create(const std::string& sandbox_id, Journal& journal,
                                                    std::string root = std::string(kSharedRoot));

  // The folder to export: read-only at its top, sees every later mount.
  std::string exported() const { return base_ + "/shared"; }

  // Makes a root file system visible to the guest; returns the guest's path of it. A read-only root
  // (spec.root.readonly) gets its missing mount points now, as the guest could not make them.
  Result<std::string> share_rootfs(const std::string& container_id, const std::string& host_path,
                                   const grpc::Spec& spec);

  // Makes the sources of all host binds visible; the result is GuestContext::mounts. Read-only
  // mounts are read-only on the host side (CVE-2020-28914), with everything mounted below them.
  // Device nodes are never shared: a device that every guest has is replaced by the guest's own,
  // another one leaves the mount out, with a warning.
  Result<std::map<int, std::optional<grpc::Mount>>> share_mounts(const std::string& container_id,
                                                                 const grpc::Spec& spec,
                                                                 const oci::GuestContext& context);

  // Makes folders or files of the host visible to services of the guest, as sandbox-mounts/<last
  // part of the path>. Entries are "path", "path:ro" or "path:rw" as in the configuration
  // (sandbox_bind_mounts), which has checked them; read-only unless they say otherwise.
  Status share_sandbox_mounts(const std::vector<std::string>& entries);

  // Takes everything of a container out of the tree; idempotent.
  Status unshare(const std::string& container_id);
  // Takes everything out and removes the tree; idempotent.
  Status destroy();

 private:
  struct Shared {
    std::string name;  // path below mounts/
    bool is_dir = true;
  };

  SharedTree(std::string base, Journal& journal) : base_(std::move(base)), journal_(journal) {}
  Status build();
  Status attach(const std::string& container_id, const Shared& shared, int mount_fd);
  Result<std::optional<grpc::Mount>> share_mount(const std::string& container_id,
                                                 const grpc::Mount& mount,
                                                 const std::string& bundle);
  Result<UniqueFd> copy_root(const std::string& path, const grpc::Spec& spec);
  Status detach(const Shared& shared);
  std::string host_path(const Shared& shared) const { return base_ + "/mounts/" + shared.name; }

  std::string base_;
  Journal& journal_;
  UniqueFd mounts_;  // the mounts/ folder, as mounted
  std::map<std::string, std::vector<Shared>> containers_;
  bool warned_private_ = false;
};

}  // namespace kata::storage
