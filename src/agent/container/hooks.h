#pragma once

#include <string>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "base/task.h"

namespace kata::agent {

using HookList = google::protobuf::RepeatedPtrField<grpc::Hook>;

// What a hook is told about its container (runtime-spec "State"), as JSON.
struct HookState {
  std::string id;
  std::string bundle;
  std::string status;  // creating, created, running, stopped
  int64_t pid = 0;
  const grpc::Spec* spec = nullptr;  // version and annotations

  std::string to_json() const;
};

// Runs the hooks one after the other in the calling process's namespaces; blocks. The state goes
// to their stdin, which they need not read; one with a timeout is killed after it, together with
// its process group. Only the hook's own process is waited for. Stops at the first failure, whose
// text carries the end of the hook's output.
Status run_hooks(const HookList& hooks, const std::string& state_json);

// The same from the event loop: a child of the agent runs them ("kata-agent hooks"), so that a slow
// hook blocks nothing. `kind` names the list in the spec ("prestart", ...).
Task<Status> run_agent_hooks(HookState state, std::string kind);

// The list of that kind in the spec; empty list when unknown.
const HookList& hooks_of(const grpc::Spec& spec, std::string_view kind);

}  // namespace kata::agent
