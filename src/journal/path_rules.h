#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::journal {

// Where the resources of a sandbox may lie. A journal is written by us alone into a 0700 folder;
// this is the second wall: no broken line makes the clean-up work elsewhere on the host.
//
// Returns the path to work on ("/var/run" is "/run"); kPermissionDenied for any other place and for
// a path that is not absolute and normalised. `whole_tree` asks for a place where everything
// belongs to one sandbox.
Result<std::string> check_path(std::string path, const std::vector<std::string>& prefixes,
                               bool whole_tree);

}  // namespace kata::journal
