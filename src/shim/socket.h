#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

// The listening socket that `start` makes and the daemon inherits (facts/shim-v2.md section 4).
namespace kata::shim {

// Whether somebody accepts connections at the path. Never blocks.
bool socket_is_live(const std::string& path);

// Binds and listens, mode 0600, making the folder (0700) when needed. A socket file nobody listens
// on is replaced. Empty result = somebody listens already: that shim is to be used.
Result<UniqueFd> bind_socket(const std::string& path);

}  // namespace kata::shim
