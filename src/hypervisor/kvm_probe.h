#pragma once

#include "base/error.h"

// The steps of the KVM proof (hypervisor/accel.h). Failures that only a reboot or another host can
// change have class kFailedPrecondition.
namespace kata::hypervisor {

// VMX or SVM as the CPU itself reports them.
Status check_cpu_flags();
// Runs a few instructions in a VM, in a child process that is killed after two seconds.
Status run_kvm_probe();

}  // namespace kata::hypervisor
