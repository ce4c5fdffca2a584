#include "agent/container/agent_side.h"

#include <sched.h>
#include <sys/wait.h>

#include "agent/container/limits.h"
#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

Error died_error(const Child& child) {
  siginfo_t info{};
  std::string how = "unknown reason";
  if (waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOWAIT) == 0) {
    how =
        (info.si_code == CLD_EXITED ? "exit status " : "signal ") + std::to_string(info.si_status);
  }
  return Error(Code::kInternal, "container process died before its program ran (" + how + ")");
}

// As our own pid namespace numbers it.
Result<pid_t> pid_of(int pidfd) {
  TRY(std::string text, read_file("/proc/self/fdinfo/" + std::to_string(pidfd)));
  for (std::string_view line : split(text, '\n')) {
    uint64_t pid = 0;
    if (line.starts_with("Pid:\t") && parse_u64(line.substr(5), &pid) && pid > 0) {
      return static_cast<pid_t>(pid);
    }
  }
  return fail(Code::kInternal, "container process died before its program ran");
}

}  // namespace

RunningLaunch::~RunningLaunch() {
  if (!started_) kill_and_reap(child);
}

Result<RunningLaunch> RunningLaunch::spawn(const LaunchPlan& plan, const LaunchConfig& config) {
  TRY(UniqueFd file, config.to_memfd());
  TRY(auto channel, make_channel());
  UniqueFd cgroup_dir;
  if (plan.cgroup) {
    TRY(cgroup_dir, plan.cgroup->clone_target(plan.init_pid));
  }
  ChildPlan child_plan;
  child_plan.clone_flags = plan.clone_flags;
  child_plan.cgroup_dir = cgroup_dir.get();
  child_plan.channel = channel.second.get();
  child_plan.config = file.get();
  child_plan.extra = plan.extra;
  child_plan.stdio = plan.stdio;
  RunningLaunch launch;
  TRY(launch.child, spawn_child(child_plan));
  launch.channel = std::move(channel.first);
  if (plan.cgroup && !cgroup_dir) TRY_STATUS(plan.cgroup->add(launch.child.pid));
  return launch;
}

Status RunningLaunch::prepare(const grpc::Process& process) {
  TRY_STATUS(set_oom_score(child.pid, process));
  TRY_STATUS(set_scheduling(child.pid, process));
  TRY_STATUS(raise_hard_limits(child.pid, process));
  return send_message(channel.get(), ChannelMessage::Kind::kGo);
}

Task<Result<ChannelMessage>> RunningLaunch::next(ChannelMessage::Kind kind) {
  CO_TRY(ChannelMessage message, co_await receive_message_async(channel.get()));
  if (message.error) co_return std::unexpected(std::move(*message.error));
  if (message.kind == ChannelMessage::Kind::kEnd) co_return std::unexpected(died_error(child));
  if (message.kind != kind) co_return fail(Code::kInternal, "container process is out of step");
  co_return message;
}

Task<Status> RunningLaunch::expect(ChannelMessage::Kind kind) {
  CO_TRY(ChannelMessage message, co_await next(kind));
  if (message.fd) console = std::move(message.fd);
  co_return Status();
}

Task<Status> RunningLaunch::follow_fork() {
  CO_TRY(ChannelMessage message, co_await next(ChannelMessage::Kind::kForked));
  CO_TRY(pid_t pid, pid_of(message.fd.get()));
  Child first = std::exchange(child, Child{pid, std::move(message.fd)});
  kill_and_reap(first);
  co_return Status();
}

Task<Status> RunningLaunch::open_gate() {
  CO_TRY_STATUS(send_message(channel.get(), ChannelMessage::Kind::kStart));
  CO_TRY(ChannelMessage message, co_await receive_message_async(channel.get()));
  if (message.error) co_return std::unexpected(std::move(*message.error));
  // The socket closed: the program runs, or the process was killed and its exit will tell.
  started_ = true;
  channel.reset();
  co_return Status();
}

}  // namespace kata::agent
