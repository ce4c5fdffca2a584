#pragma once

#include <string>

#include "base/error.h"

namespace kata::shim {

// Frees what the journal of a sandbox lists, and its folders; `bundle` is that of its first
// container. Blocking, idempotent; nothing to do is success.
Status free_sandbox(const std::string& id, const std::string& bundle);

}  // namespace kata::shim
