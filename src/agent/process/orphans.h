#pragma once

#include <sys/types.h>

#include "base/task.h"

namespace kata::agent {

// Reaps children that nobody in the agent waits for: processes whose parent inside a container died
// and that came to the agent as child subreaper. Children the agent started are waited for by pidfd
// elsewhere; a zombie counts as an orphan only when it is still there after several rounds of the
// event loop, by when whoever started it has had its turns. Runs until the loop ends.
Task<> reap_orphans();

// True when the child has ended and nobody has reaped it yet.
bool is_zombie(pid_t child);

}  // namespace kata::agent
