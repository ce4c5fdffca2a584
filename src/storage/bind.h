#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

// Bind mounts made on held descriptors with the mount API of Linux 5.12: nothing is resolved twice,
// and a mount has its attributes before it can be seen.
namespace kata::storage {

// A copy of the mount at `fd` (any file, O_PATH is enough), attached nowhere; with what is mounted
// below it when `recursive`. It is private: no mount event of the host reaches it. With MS_SLAVE
// those of the original do, when that is in a group of shared mounts; nothing ever goes back.
Result<UniqueFd> clone_mount(int fd, bool recursive, uint64_t propagation = MS_PRIVATE);

// Sets MOUNT_ATTR_* bits, and the propagation (MS_SHARED, ...) when not 0.
Status set_mount_attributes(int mount_fd, uint64_t set, uint64_t propagation, bool recursive);

// Attaches a detached mount over the file or folder that `target` (O_PATH) holds.
Status attach_mount(int mount_fd, int target);

// Lazily unmounts what is on `name` of a held folder, with everything below; the name itself is not
// followed. Success when nothing is mounted there.
Status detach_mount_at(int parent, const std::string& name);

}  // namespace kata::storage
