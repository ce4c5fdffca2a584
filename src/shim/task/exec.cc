#include "containerd/events.pb.h"
#include "oci/spec.h"
#include "shim/events/topics.h"
#include "shim/task/any.h"
#include "shim/task/service.h"

namespace kata::shim {

using namespace containerd::task::v2;

Task<Result<kata::wkt::Empty>> TaskService::exec(ExecProcessRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  if (!type_is(request.spec(), "Process")) {
    co_return fail(Code::kInvalidArgument,
                   "the process of an exec cannot be a \"" + request.spec().type_url() + "\"");
  }
  CO_TRY(grpc::Process spec, oci::parse_process(request.spec().value()));
  CO_TRY_STATUS(in_step("exec", oci::validate(spec)));
  spec.set_terminal(request.terminal());  // the request's flag beats the spec's
  CO_TRY(auto process, task->container->add_exec(request.exec_id(), std::move(spec)));
  StdioPaths paths{request.stdin(), request.stdout(), request.stderr(), request.terminal()};
  task->execs[request.exec_id()] =
      std::make_shared<ProcessRecord>(executor_, std::move(process), std::move(paths));
  containerd::events::TaskExecAdded event;
  event.set_container_id(request.id());
  event.set_exec_id(request.exec_id());
  publisher_.publish(topics::kExecAdded, event);
  co_return Empty();
}

Task<Result<kata::wkt::Empty>> TaskService::resize_pty(ResizePtyRequest request) {
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  CO_TRY_STATUS(co_await process->process->resize(request.width(), request.height()));
  co_return Empty();
}

Task<Result<kata::wkt::Empty>> TaskService::close_io(CloseIORequest request) {
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  if (!request.stdin()) co_return Empty();
  co_await process->settled.wait();
  process->stdin_closed = true;
  if (process->opened.in) process->opened.in->close_writer();
  CO_TRY_STATUS(process->process->close_stdin());
  co_return Empty();
}

}  // namespace kata::shim
