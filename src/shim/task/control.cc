#include "containerd/events.pb.h"
#include "oci/spec.h"
#include "shim/events/topics.h"
#include "shim/task/any.h"
#include "shim/task/metrics.h"
#include "shim/task/service.h"

namespace kata::shim {

using namespace containerd::task::v2;

Task<Result<kata::wkt::Empty>> TaskService::kill(KillRequest request) {
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  auto sent = co_await process->process->signal(request.signal(), request.all());
  // To CRI-O "process already finished" is a failed stop, after which the pod cannot be removed.
  // With signal 0 it asks whether the process lives.
  const bool ended = !sent && sent.error().code() == Code::kNotFound;
  if (sent || (ended && crio_ && request.signal() != 0)) co_return Empty();
  co_return std::unexpected(std::move(sent.error()));
}

Task<Result<kata::wkt::Empty>> TaskService::pause(PauseRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  CO_TRY_STATUS(co_await task->container->pause());
  containerd::events::TaskPaused event;
  event.set_container_id(request.id());
  publisher_.publish(topics::kPaused, event);
  co_return Empty();
}

Task<Result<kata::wkt::Empty>> TaskService::resume(ResumeRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  CO_TRY_STATUS(co_await task->container->resume());
  containerd::events::TaskResumed event;
  event.set_container_id(request.id());
  publisher_.publish(topics::kResumed, event);
  co_return Empty();
}

Task<Result<kata::wkt::Empty>> TaskService::update(UpdateTaskRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  if (!type_is(request.resources(), "LinuxResources")) {
    co_return fail(Code::kInvalidArgument,
                   "resources cannot be a \"" + request.resources().type_url() + "\"");
  }
  CO_TRY(auto resources, oci::parse_resources(request.resources().value()));
  CO_TRY_STATUS(co_await task->container->update(std::move(resources)));
  co_return Empty();
}

Task<Result<kata::wkt::Empty>> TaskService::checkpoint(CheckpointTaskRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  co_return fail(Code::kUnimplemented, "a container in a VM cannot be checkpointed");
}

Task<Result<StatsResponse>> TaskService::stats(StatsRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  CO_TRY(auto counters, co_await task->container->stats());
  StatsResponse response;
  *response.mutable_stats() =
      host_has_unified_cgroups() ? metrics_v2(counters) : metrics_v1(counters);
  co_return response;
}

}  // namespace kata::shim
