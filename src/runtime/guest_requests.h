#pragma once

#include <string>

#include "agent/agent.pb.h"
#include "config/config.h"
#include "storage/shared_tree.h"

// Builds what the agent is told about a sandbox (facts/agent-protocol.md section 8). Pure but for
// reading the resolv.conf that the spec mounts.
namespace kata::runtime {

using storage::kSharedTag;
inline constexpr char kGuestShmDir[] = "/run/kata-containers/sandbox/shm";

// `spec` is that of the sandbox's first container.
grpc::CreateSandboxRequest make_create_sandbox(const std::string& sandbox_id,
                                               const grpc::Spec& spec,
                                               const config::Config& config);

// Lines of the resolv.conf that the spec binds into the container; empty when it binds none.
std::vector<std::string> dns_lines(const grpc::Spec& spec);

// Size of the pod's /dev/shm: what the spec's tmpfs on /dev/shm asks for, else 64 MiB.
uint64_t shm_size(const grpc::Spec& spec);

}  // namespace kata::runtime
