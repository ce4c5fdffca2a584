#pragma once

#include <linux/bpf.h>

#include <vector>

#include "agent/cgroup/device_rules.h"
#include "base/unique_fd.h"

namespace kata::agent {

// The BPF_PROG_TYPE_CGROUP_DEVICE program that decides as `rules` say: from the last rule to the
// first, the first that matches wins; none = denied.
std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);

// Loads and attaches it to a cgroup v2 directory. The program stays for the life of the cgroup;
// `previous`, when there is one, is taken off afterwards, so that there is no moment without rules.
Result<UniqueFd> attach_device_program(int cgroup_dir, const std::vector<DeviceRule>& rules,
                                       const UniqueFd& previous);

}  // namespace kata::agent
