#pragma once

#include "base/task.h"

namespace kata::shim {

// Reaps processes that fell to us as their subreaper: helpers that fork away from their parent.
// Children that we started ourselves are reaped by whoever started them, within moments of their
// end; what stays a zombie from one look to the next belongs to nobody. Never comes back.
Task<> reap_orphans();

}  // namespace kata::shim
