#include "agent/device/rewrite.h"
#include "agent/rpc/services.h"
#include "agent/sandbox/termination_log.h"
#include "base/log.h"

namespace kata::agent {
namespace {

// A shim never names the PID namespace: a container that does not share one has its own
// (facts/agent-behaviour.md section 3.3).
void add_pid_namespace(grpc::Linux* spec) {
  for (const grpc::LinuxNamespace& entry : spec->namespaces()) {
    if (entry.type() == "pid") return;
  }
  spec->add_namespaces()->set_type("pid");
}

// Everything of a create that may fail, so that the caller can undo the storages once.
Task<Result<std::shared_ptr<Container>>> build(Agent& agent,
                                               grpc::CreateContainerRequest& request) {
  ContainerPlan plan;
  plan.id = request.container_id();
  plan.spec = std::move(*request.mutable_oci());
  CO_TRY_STATUS(agent.sandbox.share_user_namespace(plan.spec.linux(), agent.config.owns_guest()));
  if (request.sandbox_pidns()) {
    CO_TRY_STATUS(in_step("pid namespace of the pod", co_await agent.sandbox.hold_pids()));
  }
  CO_TRY(plan.join, agent.sandbox.namespaces_to_join(request.sandbox_pidns()));
  add_pid_namespace(plan.spec.mutable_linux());  // what is joined is not made
  drop_foreign_hooks(&plan.spec);
  agent.sandbox.hooks().append_to(&plan.spec);
  plan.bundle = agent.config.run_dir + "/" + plan.id;
  plan.cgroups = agent.sandbox.cgroups();
  plan.pipe_size = agent.config.container_pipe_size;
  // An agent that is an ordinary process mounts nothing on its machine.
  if (agent.config.resource_view && agent.config.owns_guest()) plan.views = &agent.views;
  co_return co_await Container::create(std::move(plan));
}

Task<Status> create_reserved(Agent& agent, grpc::CreateContainerRequest& request) {
  if (!request.has_oci()) co_return fail(Code::kInvalidArgument, "request without OCI spec");
  if (request.stdin_port() != 0 || request.stdout_port() != 0 || request.stderr_port() != 0) {
    co_return fail(Code::kUnimplemented, "passfd streams are not supported");
  }
  if (!request.shared_mounts().empty()) {
    co_return fail(Code::kUnimplemented, "mounts shared between containers are not supported");
  }
  CO_TRY_STATUS(co_await prepare_devices(agent.uevents, agent.config.hotplug_timeout,
                                         request.devices(), request.mutable_oci()));
  CO_TRY(auto mount_points,
         co_await agent.storages.add_all(request.storages(), request.container_id()));
  auto container = co_await build(agent, request);
  if (!container) {
    co_await agent.storages.release_all(std::move(mount_points));
    co_return std::unexpected(std::move(container.error()));
  }
  (*container)->set_storages(std::move(mount_points));
  agent.sandbox.add(std::move(*container));
  co_return Status{};
}

Task<Result<Empty>> create_container(Agent& agent, grpc::CreateContainerRequest request) {
  std::string id = request.container_id();
  CO_TRY_STATUS(agent.sandbox.reserve(id));
  auto made = co_await create_reserved(agent, request);
  agent.sandbox.release(id);
  if (!made) {
    log::failure("create container", made.error(), {{"container_id", id}});
    co_return std::unexpected(std::move(made.error()));
  }
  co_return Empty();
}

Task<Result<Empty>> start_container(Agent& agent, grpc::StartContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  auto turn = co_await container->order().lock();
  CO_TRY_STATUS(co_await container->start(&agent.sandbox.oom()));
  co_return Empty();
}

Task<> remove_now(Agent& agent, std::shared_ptr<Container> container, Event done) {
  auto turn = co_await container->order().lock();
  if (auto removed = co_await container->destroy(); !removed) {
    log::failure("remove container", removed.error(), {{"container_id", container->id()}});
  }
  co_await agent.storages.release_all(container->take_storages());
  agent.sandbox.remove(container->id());
  done.set();
}

// With a timeout the removal goes on after the answer; only the answer is bounded.
Task<Result<Empty>> remove_container(Agent& agent, grpc::RemoveContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  Event done(agent.executor);
  spawn(agent.executor, remove_now(agent, container, done));
  if (request.timeout() == 0) {
    co_await done.wait();
    co_return Empty();
  }
  bool finished = co_await done.wait_for(std::chrono::seconds(request.timeout()));
  if (!finished) co_return fail_errno("remove container", ETIME);
  co_return Empty();
}

Task<Result<Empty>> update_container(Agent& agent, grpc::UpdateContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  auto turn = co_await container->order().lock();
  CO_TRY_STATUS(container->update(request.resources()));
  co_return Empty();
}

Result<Cgroup*> cgroup_of(Container& container) {
  if (!container.cgroup()) return fail(Code::kUnavailable, "this machine has no cgroups");
  return container.cgroup();
}

Task<Result<grpc::StatsContainerResponse>> stats_container(Agent& agent,
                                                           grpc::StatsContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  CO_TRY(Cgroup * cgroup, cgroup_of(*container));
  grpc::StatsContainerResponse response;
  CO_TRY(*response.mutable_cgroup_stats(), cgroup->stats());
  co_return response;
}

Task<Result<Empty>> pause_container(Agent& agent, grpc::PauseContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  auto turn = co_await container->order().lock();
  CO_TRY(Cgroup * cgroup, cgroup_of(*container));
  CO_TRY_STATUS(co_await cgroup->freeze());
  co_return Empty();
}

Task<Result<Empty>> resume_container(Agent& agent, grpc::ResumeContainerRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  auto turn = co_await container->order().lock();
  CO_TRY(Cgroup * cgroup, cgroup_of(*container));
  CO_TRY_STATUS(co_await cgroup->thaw());
  co_return Empty();
}

Task<Result<grpc::GetDiagnosticDataResponse>> get_diagnostic_data(
    Agent& agent, grpc::GetDiagnosticDataRequest request) {
  if (request.log_type() != "termination_log") {
    co_return fail(Code::kInvalidArgument, "unknown log type \"" + request.log_type() + "\"");
  }
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  grpc::GetDiagnosticDataResponse response;
  CO_TRY(*response.mutable_data(), read_termination_log(*container));
  co_return response;
}

}  // namespace

void add_container_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "CreateContainer", &create_container);
  add_call(server, agent, kAgentServiceName, "StartContainer", &start_container);
  add_call(server, agent, kAgentServiceName, "RemoveContainer", &remove_container);
  add_call(server, agent, kAgentServiceName, "UpdateContainer", &update_container);
  add_call(server, agent, kAgentServiceName, "StatsContainer", &stats_container);
  add_call(server, agent, kAgentServiceName, "PauseContainer", &pause_container);
  add_call(server, agent, kAgentServiceName, "ResumeContainer", &resume_container);
  add_call(server, agent, kAgentServiceName, "GetDiagnosticData", &get_diagnostic_data);
}

}  // namespace kata::agent
