#pragma once

#include "base/error.h"
#include "containerd/sandbox.pb.h"
#include "runtime/sandbox.h"

namespace kata::shim {

// What the engine needs to make the pod of a CreateSandbox: the spec that a pause container would
// have had, with containerd's annotations, and the files and settings that the manager then leaves
// to the runtime (facts/shim-v2.md sections 13 and 14). A config.json in the bundle, which
// clients other than CRI write, is the base. Of the pod's annotations only Kata's own are taken.
// Reads files of the host; kInvalidArgument names what cannot be understood.
Result<runtime::SandboxRequest> pod_request(
    const containerd::runtime::sandbox::v1::CreateSandboxRequest& request);

}  // namespace kata::shim
