#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "agent/oci.pb.h"
#include "base/task.h"

// Hooks of the host's side (OCI runtime-spec, "POSIX-platform Hooks"): prestart and createRuntime
// before the container is made, poststart after its start, poststop after its end. They run in the
// namespaces of the calling program, in the bundle, with exactly the environment of the hook.
namespace kata::runtime {

using HookList = google::protobuf::RepeatedPtrField<grpc::Hook>;

// What the hooks of one container are told. The pid is that of the VMM, which lives in the
// sandbox's network namespace; 0 is left out.
struct HookState {
  std::string version;  // ociVersion of the bundle
  std::string id;
  std::string bundle;
  pid_t pid = 0;
  std::map<std::string, std::string> annotations;

  HookState(const grpc::Spec& spec, std::string container_id, std::string bundle_path, pid_t vmm);
  // The state document (runtime-spec, "State").
  std::string to_json(const std::string& status) const;
};

struct HookRun {
  std::string kind;    // "createRuntime", for texts
  std::string status;  // of the container: "creating", "running", "stopped"
  // When all of them have to be over, whatever their own timeouts. Without it hooks that have no
  // timeout run as long as they like, as under runc.
  std::optional<Clock::time_point> end;
};

// Runs them in their order. The first that fails ends the list, and its output is in the error.
Task<Status> run_hooks(HookList hooks, HookState state, HookRun run);
// Runs all of them; failures are warnings.
Task<> run_hooks_to_the_end(HookList hooks, HookState state, HookRun run);

}  // namespace kata::runtime
