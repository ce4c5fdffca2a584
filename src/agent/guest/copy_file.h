#pragma once

#include <string>

#include "agent/agent.pb.h"
#include "base/error.h"

namespace kata::agent {

// One CopyFile call: a chunk of a regular file, a folder or a symlink, only below `shared_dir`. No
// step of the path may be a symlink (CVE-2026-41326). A file grows under a temporary name, offset 0
// starts it anew, and takes its name, mode and owner when it has its full size.
Status copy_file(const std::string& shared_dir, const grpc::CopyFileRequest& request);

}  // namespace kata::agent
