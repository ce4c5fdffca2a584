#pragma once

#include <string>
#include <vector>

#include "agent/container/launch_config.h"
#include "base/unique_fd.h"

namespace kata::agent {

// The root file system while it is being furnished: still below the agent's own tree, so that the
// agent's /proc is at hand and nothing of the image is trusted.
struct RootfsContext {
  const LaunchConfig* config = nullptr;
  UniqueFd root;  // O_PATH, the mount that will become /
  // Destinations to be made read-only after everything was put into them.
  std::vector<std::string> late_readonly;

  const grpc::Spec& spec() const { return config->spec; }
};

}  // namespace kata::agent
