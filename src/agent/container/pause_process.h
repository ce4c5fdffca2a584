#pragma once

#include <sched.h>

#include "agent/container/spawn_child.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::agent {

// The first process of a pod's shared PID namespace where no pause container is: it takes up
// orphans and does nothing else. It sees an empty file system, has no capabilities, and other
// processes of the pod cannot look into it. Ends with the object, and the namespace with it.
// In a pod with a user namespace it lives there, so that its PID namespace belongs to that one.
class PauseProcess {
 public:
  // Comes back when the process has shed everything. `user_namespace`: a descriptor of the one to
  // live in, -1 = the agent's.
  static Task<Result<PauseProcess>> start(int user_namespace = -1);
  PauseProcess() = default;  // none
  PauseProcess(PauseProcess&&) = default;
  PauseProcess& operator=(PauseProcess&&) = delete;
  ~PauseProcess() { kill_and_reap(child_); }

  const UniqueFd& pid_namespace() const { return namespace_; }

 private:
  explicit PauseProcess(Child child) : child_(std::move(child)) {}

  Child child_;
  UniqueFd namespace_;
};

inline constexpr char kPauseMode[] = "pause";  // of spawn_child()
// The child's side. Comes back on failure only.
Status run_pause();

}  // namespace kata::agent
