#pragma once

#include <string>

#include "journal/undo.h"

namespace kata::runtime {

// How the journal of a sandbox is replayed, with the kinds of every module. `bundle` is that of its
// first container; `netns_fd` its network namespace while somebody holds it (network/undo.h).
journal::UndoOptions undo_options(const std::string& bundle, int netns_fd = -1);

}  // namespace kata::runtime
