#pragma once

#include <string>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "base/user_namespace.h"
#include "storage/overlay_data.h"

// Mounts that show the files' owners through id maps (mount_setattr(2), MOUNT_ATTR_IDMAP): what a
// pod with a user namespace gets, so that an owner on disk is the same one inside. Done on the
// host, where the file systems are; the guest sees the mapped ids. Blocking calls.
namespace kata::storage {

// Maps a detached mount (clone_mount()); everything below it, too, when `recursive`. `what` names
// it in errors. kUnimplemented when its file system cannot.
Status map_ids(int mount_fd, const IdMappings& maps, bool recursive, const std::string& what);

// What the host has done the guest must not do again.
void forget_id_mappings(grpc::Mount* mount);

// Mounts an overlay with mapped lower folders (its upper one belongs to the mapped owner already).
// The mapped mounts stand in `folder`, which must not exist, until the overlay has its own copies;
// the caller journals that path as a mount and a folder. `options` name the file system's data.
Status mount_mapped_overlay(const std::string& target, const std::string& folder,
                            unsigned long flags, std::vector<std::string> options,
                            const IdMappings& maps);

}  // namespace kata::storage
