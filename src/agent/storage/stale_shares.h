#pragma once

#include <string>

namespace kata::agent {

// Looks once at every mount below the shared folder, so that the file system server on the host
// notices what was removed there and lets go of it; a mount whose root has gone (ESTALE and the
// like) is detached.
void touch_share_mounts(const std::string& shared_dir);

}  // namespace kata::agent
