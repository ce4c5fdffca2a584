#pragma once

#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// Programs of the guest image that run beside every container (facts/agent-behaviour.md section
// 3.1, step 5): one folder per hook kind, each regular executable file in it is a hook with the
// arguments {file name, kind} and 10 s. A plain value.
class GuestHooks {
 public:
  GuestHooks() = default;
  // A missing folder means no hooks of that kind; files that do not qualify are logged and skipped.
  static GuestHooks scan(const std::string& path);

  // Appends them to the hooks of a container.
  void append_to(grpc::Spec* spec) const;

 private:
  std::vector<grpc::Hook> prestart_, poststart_, poststop_;
};

// createContainer hooks name programs of the runtime's own file system, which is the guest's here.
// Those that only the host has cannot run: they are left out with a warning, as hosts add such
// hooks (device tools) to containers that work without them.
void drop_foreign_hooks(grpc::Spec* spec);

}  // namespace kata::agent
