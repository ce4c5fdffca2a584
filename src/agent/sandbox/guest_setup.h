#pragma once

#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "base/task.h"

// Changes that CreateSandbox makes to the guest itself (facts/agent-behaviour.md section 3.1).
namespace kata::agent {

// Empties the run folder: what an earlier sandbox of this guest left is gone. Mounts below it stay.
Status prepare_run_dir(const std::string& run_dir);

// Runs modprobe for each; the first failure, with modprobe's words, is the answer.
Task<Status> load_kernel_modules(google::protobuf::RepeatedPtrField<grpc::KernelModule> modules);

// Writes the lines to `run_dir`/sandbox/resolv.conf and binds it over /etc/resolv.conf, when the
// guest has one and there are lines.
Status set_dns(const std::string& run_dir, const std::vector<std::string>& lines);

Status set_guest_hostname(const std::string& name);

}  // namespace kata::agent
