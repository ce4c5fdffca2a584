#pragma once

#include "base/error.h"

namespace kata::agent {

// Mount option "tmpcopyup": copies what the image has in the folder behind `from` into the fresh
// tmpfs behind `to`: folders, files, symlinks and special files with owner and mode. Symlinks are
// copied, never followed.
Status copy_up(int from, int to);

}  // namespace kata::agent
