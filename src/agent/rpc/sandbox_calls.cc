#include "agent/rpc/services.h"
#include "agent/sandbox/guest_setup.h"
#include "agent/storage/stale_shares.h"
#include "base/log.h"
#include "oci/watched_volume.h"

namespace kata::agent {
namespace {

Status change_guest(Agent& agent, const grpc::CreateSandboxRequest& request) {
  TRY_STATUS(set_guest_hostname(request.hostname()));
  return set_dns(agent.config.run_dir, {request.dns().begin(), request.dns().end()});
}

Task<Result<Empty>> create_sandbox(Agent& agent, grpc::CreateSandboxRequest request) {
  CO_TRY_STATUS(agent.sandbox.begin(request.sandbox_id(), request.hostname()));
  if (request.sandbox_pidns()) agent.sandbox.share_pids();
  CO_TRY_STATUS(prepare_run_dir(agent.config.run_dir));
  if (!request.kernel_modules().empty()) {
    CO_TRY_STATUS(require_guest(agent, "load kernel modules"));
    CO_TRY_STATUS(co_await load_kernel_modules(std::move(*request.mutable_kernel_modules())));
  }
  if (agent.config.owns_guest()) CO_TRY_STATUS(change_guest(agent, request));
  CO_TRY(auto mount_points, co_await agent.storages.add_all(request.storages(), std::string()));
  log::info("sandbox storages ready", {{"count", std::to_string(mount_points.size())}});
  if (!request.guest_hook_path().empty()) {
    agent.sandbox.set_hooks(GuestHooks::scan(request.guest_hook_path()));
  }
  log::info("sandbox created", {{"sandbox", request.sandbox_id()}});
  co_return Empty();
}

Task<Result<Empty>> destroy_sandbox(Agent& agent, grpc::DestroySandboxRequest) {
  for (const auto& container : agent.sandbox.containers()) {
    auto turn = co_await container->order().lock();
    if (auto gone = co_await container->destroy(); !gone) {
      log::failure("destroy container", gone.error(), {{"container_id", container->id()}});
    }
    co_await agent.storages.release_all(container->take_storages());
    agent.sandbox.remove(container->id());
  }
  agent.sandbox.oom().close();
  agent.sandbox.finished().set();
  co_return Empty();
}

Task<Result<Empty>> update_ephemeral_mounts(Agent& agent,
                                            grpc::UpdateEphemeralMountsRequest request) {
  for (const auto& storage : request.storages()) {
    if (storage.driver() != "ephemeral" && storage.driver() != oci::kWatchableDriver) {
      co_return fail(Code::kInvalidArgument, "storage driver \"" + storage.driver() +
                                                 "\" cannot be updated, only ephemeral can");
    }
    CO_TRY_STATUS(co_await agent.storages.update(storage));
  }
  co_return Empty();
}

Task<Result<Empty>> remove_stale_shares(Agent& agent, grpc::RemoveStaleVirtiofsShareMountsRequest) {
  touch_share_mounts(agent.config.shared_dir());
  co_return Empty();
}

Task<Result<grpc::OOMEvent>> get_oom_event(Agent& agent, grpc::GetOOMEventRequest,
                                           std::shared_ptr<ttrpc::Caller> caller) {
  grpc::OOMEvent event;
  CO_TRY(*event.mutable_container_id(), co_await agent.sandbox.oom().next(std::move(caller)));
  co_return event;
}

}  // namespace

void add_sandbox_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "CreateSandbox", &create_sandbox);
  add_call(server, agent, kAgentServiceName, "DestroySandbox", &destroy_sandbox);
  add_call(server, agent, kAgentServiceName, "UpdateEphemeralMounts", &update_ephemeral_mounts);
  add_call(server, agent, kAgentServiceName, "RemoveStaleVirtiofsShareMounts",
           &remove_stale_shares);
  add_call(server, agent, kAgentServiceName, "GetOOMEvent", &get_oom_event);
}

}  // namespace kata::agent
