#include "agent/rpc/services.h"

namespace kata::agent {
namespace {

template <class Request>
Result<std::shared_ptr<ContainerProcess>> target(Agent& agent, const Request& request) {
  TRY(auto container, agent.sandbox.find(request.container_id()));
  return container->process(request.exec_id());
}

Task<Result<grpc::WriteStreamResponse>> write_stdin(Agent& agent,
                                                    grpc::WriteStreamRequest request) {
  CO_TRY(auto process, target(agent, request));
  auto input = process->io().input();
  if (!input) co_return fail(Code::kInvalidArgument, "process has no stdin");
  grpc::WriteStreamResponse response;
  if (request.data().empty()) {
    co_await input->close();
    co_return response;
  }
  response.set_len(static_cast<uint32_t>(request.data().size()));
  CO_TRY_STATUS(co_await input->write(std::move(*request.mutable_data())));
  co_return response;
}

// What stands before the data of a full read in a ReadStreamResponse: tag and three bytes of
// length.
constexpr size_t kHeadRoom = 4;

// Serialized ReadStreamResponse of the data behind kHeadRoom bytes. Only little data has a shorter
// head and is moved.
std::string as_read_response(std::string room_and_data) {
  const std::string head = ttrpc::bytes_field_head(grpc::ReadStreamResponse::kDataFieldNumber,
                                                   room_and_data.size() - kHeadRoom);
  room_and_data.replace(0, kHeadRoom, head);
  return room_and_data;
}

// What a call takes out of the pipe is gone for the next one: nothing is taken for a caller that
// gave up or hung up.
Task<Result<std::string>> read_stream(std::shared_ptr<OutputStream> stream, uint32_t limit,
                                      std::shared_ptr<ttrpc::Caller> caller) {
  if (!stream) co_return fail(Code::kInvalidArgument, "process has no such stream");
  caller->on_gone([weak = std::weak_ptr(stream)] {
    if (auto waiting = weak.lock()) waiting->wake();
  });
  CO_TRY(std::string reply, co_await stream->read(limit, caller, kHeadRoom));
  co_return as_read_response(std::move(reply));
}

Task<Result<std::string>> read_stdout(Agent& agent, grpc::ReadStreamRequest request,
                                      std::shared_ptr<ttrpc::Caller> caller) {
  CO_TRY(auto process, target(agent, request));
  co_return co_await read_stream(process->io().output(), request.len(), std::move(caller));
}

Task<Result<std::string>> read_stderr(Agent& agent, grpc::ReadStreamRequest request,
                                      std::shared_ptr<ttrpc::Caller> caller) {
  CO_TRY(auto process, target(agent, request));
  co_return co_await read_stream(process->io().error_output(), request.len(), std::move(caller));
}

Task<Result<Empty>> close_stdin(Agent& agent, grpc::CloseStdinRequest request) {
  CO_TRY(auto process, target(agent, request));
  auto input = process->io().input();
  if (input) co_await input->close();
  co_return Empty();
}

Task<Result<Empty>> tty_win_resize(Agent& agent, grpc::TtyWinResizeRequest request) {
  CO_TRY(auto process, target(agent, request));
  CO_TRY_STATUS(process->io().resize(request.row(), request.column()));
  co_return Empty();
}

}  // namespace

void add_stdio_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "WriteStdin", &write_stdin);
  add_call(server, agent, kAgentServiceName, "ReadStdout", &read_stdout);
  add_call(server, agent, kAgentServiceName, "ReadStderr", &read_stderr);
  add_call(server, agent, kAgentServiceName, "CloseStdin", &close_stdin);
  add_call(server, agent, kAgentServiceName, "TtyWinResize", &tty_win_resize);
}

}  // namespace kata::agent
