#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Descriptor numbers in a child of the launcher, beside 0, 1 and 2.
inline constexpr int kChannelFd = 3;
inline constexpr int kConfigFd = 4;
inline constexpr int kFirstNamespaceFd = 5;  // one for each entry of `enter`

// Everything a child of the launcher needs to know. It travels in a memory file as a sequence of
// length-prefixed fields (docs/design/container-process.md), because a spec may be larger than a
// socket message.
struct LaunchConfig {
  enum class Mode : uint32_t { kInit = 1, kExec = 2, kHooks = 3 };

  Mode mode = Mode::kInit;
  std::string id;
  std::string bundle;
  std::string rootfs;
  grpc::Spec spec;    // exec: only what an extra process needs
  uint32_t made = 0;  // init: CLONE_NEW* of its own; all but cgroup exist from birth
  bool cgroup_v2 = false;
  // Types of the namespace descriptors. exec: all; init: those shared with the pod when a user
  // namespace is among them, which nobody can come back from.
  std::vector<uint32_t> enter;
  // init, v1: mount point of a hierarchy in the agent -> the container's path below it.
  std::vector<std::pair<std::string, std::string>> cgroup_mounts;
  std::string view;       // init: folder of the container's view files; empty = none
  std::string hook_kind;  // hooks: poststart, ...
  std::string state;      // hooks: status word of the state document
  uint32_t pid = 0;       // hooks, state document

  bool has_own(int clone_flag) const { return made & static_cast<uint32_t>(clone_flag); }

  // A memory file with the encoded form, positioned at its start.
  Result<UniqueFd> to_memfd() const;
  static Result<LaunchConfig> from_fd(int fd);

  std::string encode() const;
  static Result<LaunchConfig> decode(std::string_view bytes);
};

}  // namespace kata::agent
