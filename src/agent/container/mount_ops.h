#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

// Mount steps on held descriptors. Nothing here resolves a path below a container's root.
namespace kata::agent {

// mount(2) onto the object behind `target`.
Status mount_at(int target, const std::string& source, const std::string& type, unsigned long flags,
                const std::string& data);

// A detached copy of the mount (or of the whole tree) at `source`. Below /run/kata-containers lie
// volumes that containers write, so no symlink is followed there; elsewhere only the guest's image
// has symlinks.
Result<UniqueFd> clone_mount(const std::string& source, bool recursive);
Result<UniqueFd> clone_mount_fd(int source, bool recursive);

// Changes the attributes of a mount, of a detached one too. Flags that nobody named stay, so locked
// flags of a user namespace survive.
Status set_mount_attr(int mount, uint64_t set, uint64_t clear, bool recursive);
// One of MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, with MS_REC for the tree.
Status set_propagation(int mount, unsigned long flags);

// Puts a detached mount on the object behind `target`.
Status attach_mount(int mount, int target);

}  // namespace kata::agent
