#include "agent/rpc/services.h"

namespace kata::agent {
namespace {

Task<Result<Empty>> exec_process(Agent& agent, grpc::ExecProcessRequest request) {
  if (request.stdin_port() != 0 || request.stdout_port() != 0 || request.stderr_port() != 0) {
    co_return fail(Code::kUnimplemented, "passfd streams are not supported");
  }
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  auto turn = co_await container->order().lock();
  CO_TRY_STATUS(co_await container->exec(request.exec_id(), request.process()));
  co_return Empty();
}

Task<Result<Empty>> signal_process(Agent& agent, grpc::SignalProcessRequest request) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  if (request.signal() > 64) co_return fail(Code::kInvalidArgument, "no such signal");
  CO_TRY_STATUS(co_await container->signal(request.exec_id(), static_cast<int>(request.signal())));
  co_return Empty();
}

Task<Result<grpc::WaitProcessResponse>> wait_process(Agent& agent, grpc::WaitProcessRequest request,
                                                     std::shared_ptr<ttrpc::Caller> caller) {
  CO_TRY(auto container, agent.sandbox.find(request.container_id()));
  CO_TRY(auto process, container->process(request.exec_id()));
  grpc::WaitProcessResponse response;
  response.set_status(co_await process->wait());
  // The exit code stays for the next who asks when this one is gone.
  if (!caller->gone()) container->forget(request.exec_id());
  co_return response;
}

}  // namespace

void add_process_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "ExecProcess", &exec_process);
  add_call(server, agent, kAgentServiceName, "SignalProcess", &signal_process);
  add_call(server, agent, kAgentServiceName, "WaitProcess", &wait_process);
}

}  // namespace kata::agent
