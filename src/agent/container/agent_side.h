#pragma once

#include "agent/cgroup/cgroup.h"
#include "agent/container/channel.h"
#include "agent/container/launch_config.h"
#include "agent/container/launcher.h"
#include "agent/container/spawn_child.h"
#include "base/error.h"
#include "base/task.h"

namespace kata::agent {

struct LaunchPlan {
  uint64_t clone_flags = 0;
  const Stdio* stdio = nullptr;
  Cgroup* cgroup = nullptr;
  pid_t init_pid = 0;      // exec: whose sub-cgroup to join when the container's own is closed
  std::vector<int> extra;  // namespace descriptors, in the order of LaunchConfig::enter
};

// The agent's end of a launch that is under way. Kills and reaps the child when it ends before
// open_gate() succeeded. Event-loop thread only.
struct RunningLaunch {
  Child child;
  UniqueFd channel;
  UniqueFd console;

  RunningLaunch() = default;
  RunningLaunch(RunningLaunch&&) = default;
  RunningLaunch& operator=(RunningLaunch&&) = default;
  ~RunningLaunch();

  // The child exists, sits in the cgroup and waits.
  static Result<RunningLaunch> spawn(const LaunchPlan& plan, const LaunchConfig& config);
  // Scores and priorities, then lets the child go on.
  Status prepare(const grpc::Process& process);
  // The child's next word must be `kind`; its failure is returned. The descriptor that comes with
  // kReady is the console.
  Task<Status> expect(ChannelMessage::Kind kind);
  // The child hands over to a process that it forked inside the container.
  Task<Status> follow_fork();
  // Lets the child execute its program. From then on it is not killed by this object.
  Task<Status> open_gate();

 private:
  Task<Result<ChannelMessage>> next(ChannelMessage::Kind kind);
  bool started_ = false;
};

}  // namespace kata::agent
