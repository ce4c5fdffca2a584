#pragma once

#include "base/error.h"

namespace kata::agent {

// A sealed, executable copy of this program. Container processes are started from it, so that
// /proc/<pid>/exe of a container process never leads to the agent's own file (CVE-2019-5736).
// Made at the first call and kept for the life of the process; when the agent itself already runs
// from a sealed memfd, that one is used and no second copy exists. The descriptor stays ours.
Result<int> sealed_self_image();

// When the program's file lies in memory (initramfs, tmpfs), which then would hold it twice: takes
// the file away and goes on as the sealed copy, from the start of main(). Does nothing when the
// program runs from a sealed copy already or from a disk; otherwise comes back on failure only, and
// then the program may go on as it is. Needs /proc. One thread.
Status continue_from_sealed_image(char** argv);

}  // namespace kata::agent
