#pragma once

#include <string>

#include "base/error.h"

namespace kata::agent {

// Loads the kernel modules that a list file names, one absolute path per line, in order; an absent
// file means a kernel with everything built in. A module that does not load is logged and skipped:
// without its device the guest may still be of use, and the reason is in the log.
void load_listed_modules(const std::string& list_path);

// One module: finit_module(2), decompressed by the kernel when its name says so. EEXIST is success.
Status load_module(const std::string& path, const std::string& parameters);

}  // namespace kata::agent
