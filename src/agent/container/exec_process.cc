#include "agent/container/agent_side.h"
#include "agent/container/entry.h"
#include "agent/container/launcher.h"
#include "agent/container/validate.h"

namespace kata::agent {
namespace {

LaunchConfig exec_config(const ExecRequest& request) {
  LaunchConfig config;
  config.mode = LaunchConfig::Mode::kExec;
  grpc::Process* process = config.spec.mutable_process();
  *process = *request.process;
  // A process that names no capabilities gets the container's.
  if (!process->has_capabilities() && request.spec->process().has_capabilities()) {
    *process->mutable_capabilities() = request.spec->process().capabilities();
  }
  if (request.spec->linux().has_seccomp()) {
    *config.spec.mutable_linux()->mutable_seccomp() = request.spec->linux().seccomp();
  }
  return config;
}

Result<RunningLaunch> spawn_extra(const ExecRequest& request) {
  LaunchPlan plan;
  plan.stdio = &request.stdio;
  plan.cgroup = request.cgroup;
  plan.init_pid = request.init_pid;
  LaunchConfig config = exec_config(request);
  for (const NamespaceFd* entry : entry_order(*request.namespaces)) {
    config.enter.push_back(static_cast<uint32_t>(entry->type));
    plan.extra.push_back(entry->fd.get());
  }
  return RunningLaunch::spawn(plan, config);
}

}  // namespace

Task<Result<Launched>> exec_process(ExecRequest request) {
  CO_TRY_STATUS(validate_process(*request.process));
  // A process born into a frozen cgroup would not get anywhere.
  if (request.cgroup && request.cgroup->frozen()) {
    co_return fail(Code::kFailedPrecondition, "cannot exec in a paused container");
  }
  grpc::Process process = *request.process;
  CO_TRY(RunningLaunch launch, spawn_extra(request));
  // Ours are in the child now; a held write end would hide the end of its output.
  request.stdio = Stdio();
  CO_TRY_STATUS(send_message(launch.channel.get(), ChannelMessage::Kind::kGo));
  CO_TRY_STATUS(co_await launch.follow_fork());
  CO_TRY_STATUS(launch.prepare(process));
  CO_TRY_STATUS(co_await launch.expect(ChannelMessage::Kind::kReady));
  CO_TRY_STATUS(co_await launch.open_gate());
  co_return Launched{launch.child.pid, std::move(launch.child.pidfd), std::move(launch.console)};
}

}  // namespace kata::agent
