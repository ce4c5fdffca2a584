#pragma once

#include "hypervisor/vm_config.h"
#include "runtime/vm.h"

namespace kata::runtime {

// The configuration file's words as what a VMM driver boots. kInvalidArgument for a configuration
// of another VMM or one that names neither or both of image and initrd.
Result<hypervisor::VmConfig> build_vm_config(const Vm::Request& request);

// kUnimplemented for a VMM that there is no driver for, with what to write instead.
Status check_driver(config::HypervisorKind kind);

// Kernel parameters for the agent and from the administrator (facts/runtime-behaviour.md 8.2).
std::vector<std::string> guest_parameters(const config::Config& config);

}  // namespace kata::runtime
