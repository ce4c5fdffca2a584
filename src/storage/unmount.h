#pragma once

#include <string>

#include "base/error.h"

namespace kata::storage {

// Detaches every mount on `path` and below it. No symlink of the path is followed (CVE-2020-2024);
// nothing mounted, or no such path, is success. Blocking.
Status unmount_tree(const std::string& path);

}  // namespace kata::storage
