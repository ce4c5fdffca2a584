#pragma once

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// Checks a spec before anything is made (facts/agent-behaviour.md section 4.2). kInvalidArgument
// names the field.
Status validate_spec(const grpc::Spec& spec);
// The part that also serves an extra process.
Status validate_process(const grpc::Process& process);

}  // namespace kata::agent
