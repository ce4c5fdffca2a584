#pragma once

#include <string>

#include "base/error.h"
#include "base/task.h"
#include "hypervisor/vm_config.h"

// Which accelerator a VM gets. A /dev/kvm that opens proves nothing: on some nested hosts it makes
// VMs that cannot run a stock kernel. So KVM has to be proven: virtualization in the CPU's flags,
// KVM API version 12, a VM, and a few instructions that really ran in it.
namespace kata::hypervisor {

enum class Accelerator { kKvm, kTcg };

struct AccelDecision {
  Accelerator accel = Accelerator::kTcg;
  std::string reason;  // why, for logs and `check`
};

// Resolves the configured choice. kAuto falls back to TCG; kKvm without usable KVM is an error of
// class kFailedPrecondition. Blocks for at most three seconds, on first use after a boot; the proof
// is then kept in the file `cache` (empty = no file).
Result<AccelDecision> choose_accelerator(AccelChoice choice, const std::string& cache);
// The same on a thread of its own: the event loop goes on.
Task<Result<AccelDecision>> decide_accelerator(AccelChoice choice, std::string cache);

// The proof without choice and cache: an error says what is missing.
Status prove_kvm();

// Frequency of the CPU's time stamp counter, which TCG guests see unchanged; 0 when it has none
// that is constant. Takes 2 ms.
uint64_t host_tsc_khz();

}  // namespace kata::hypervisor
