#include "ttrpc/server.h"

#include "base/log.h"
#include "ttrpc/ttrpc.pb.h"

namespace kata::ttrpc {

namespace {

// Calls one peer may have open at once.
constexpr size_t kMaxOpenCalls = 16384;

Result<OutFrame> success_frame(uint32_t stream, Result<std::string> result) {
  TRY(std::string payload, std::move(result));
  const std::string head = success_head(payload.size());
  return make_frame(stream, FrameType::kResponse, head, std::move(payload));
}

void reply(Connection& connection, uint32_t stream, Result<std::string> result) {
  auto frame = success_frame(stream, std::move(result));
  if (!frame) frame = make_frame(stream, FrameType::kResponse, {}, encode_failure(frame.error()));
  if (frame) connection.send(std::move(*frame));
}

}  // namespace

// One peer: its connection and the calls that still owe an answer.
struct Server::Session {
  std::shared_ptr<Connection> connection;
  uint32_t last_stream = 0;
  std::map<uint32_t, std::shared_ptr<Caller>> open;

  // Answers a call once; a second answer (late result after the deadline) is dropped.
  void answer(uint32_t stream, Result<std::string> result) {
    if (open.erase(stream) > 0) reply(*connection, stream, std::move(result));
  }
  // Ends a call without its result; false when nobody waits for one.
  bool drop(uint32_t stream) {
    auto call = open.extract(stream);
    if (call.empty()) return false;
    call.mapped()->leave();
    return true;
  }
  void answer_late(uint32_t stream) {
    if (drop(stream)) refuse(stream, Code::kDeadlineExceeded, "timeout");
  }
  // The peer is gone, and with it everybody who waited.
  void end() {
    connection->close();
    for (auto& [stream, caller] : std::exchange(open, {})) caller->leave();
  }
  void refuse(uint32_t stream, Code code, std::string text) {
    reply(*connection, stream, fail(code, std::move(text)));
  }
};

void Server::handle_raw(const std::string& service, const std::string& method, Handler handler) {
  services_[service][method] = std::move(handler);
}

Result<Handler> Server::find(const std::string& service, const std::string& method) const {
  auto methods = services_.find(service);
  if (methods == services_.end()) {
    if (unknown_service_ == Code::kInvalidArgument) {
      return fail(unknown_service_, service + " service does not exist");
    }
    return fail(unknown_service_, "service " + service);
  }
  auto handler = methods->second.find(method);
  if (handler == methods->second.end()) return fail(Code::kUnimplemented, "method " + method);
  return handler->second;
}

Task<> Server::serve(Stream stream) {
  auto session = std::make_shared<Session>();
  session->connection = std::make_shared<Connection>(std::move(stream));
  connections_.insert(session->connection);
  while (!session->connection->closed()) {
    auto frame = co_await read_frame(session->connection->stream());
    if (!frame) break;
    dispatch(session, std::move(*frame));
  }
  session->end();
  connections_.erase(session->connection);
}

void Server::dispatch(const std::shared_ptr<Session>& session, Frame frame) {
  const uint32_t stream = frame.header.stream;
  switch (static_cast<FrameType>(frame.header.type)) {
    case FrameType::kRequest:
      break;
    case FrameType::kData:
      // Only unary calls are served: no stream can be waiting for data. One that is under way ends
      // with this answer, as no stream may get two.
      session->drop(stream);
      return session->refuse(stream, Code::kInvalidArgument, "data for an unknown stream");
    default:
      return;
  }
  if (stream % 2 == 0) {
    return session->refuse(stream, Code::kInvalidArgument, "stream id must be odd");
  }
  if (stream <= session->last_stream) {
    return session->refuse(stream, Code::kInvalidArgument, "stream id must increase");
  }
  session->last_stream = stream;
  if (frame.oversized) {
    return session->refuse(stream, Code::kResourceExhausted,
                           "request of " + std::to_string(frame.header.length) +
                               " bytes is above the ttrpc limit of 4 MiB");
  }
  ::ttrpc::Request request;
  if (!parse_message(frame.payload, &request)) {
    return session->refuse(stream, Code::kInvalidArgument, "malformed ttrpc request");
  }
  if (session->open.size() >= kMaxOpenCalls) {
    return session->refuse(stream, Code::kResourceExhausted, "too many open calls");
  }
  auto handler = find(request.service(), request.method());
  if (!handler) {
    return session->refuse(stream, handler.error().code(), handler.error().message());
  }
  CallContext context{
      request.service(), request.method(), request.timeout_nano(), {}, std::make_shared<Caller>()};
  for (const auto& pair : request.metadata()) {
    context.metadata.emplace_back(pair.key(), pair.value());
  }
  session->open.emplace(stream, context.caller);
  auto executor = session->connection->executor();
  if (context.timeout_nano > 0) {
    spawn(executor, expire_call(session, stream, context.timeout_nano));
  }
  spawn(executor, run_call(session, stream, std::move(*handler), std::move(context),
                           std::move(*request.mutable_payload())));
}

Task<> Server::run_call(std::shared_ptr<Session> session, uint32_t stream, Handler handler,
                        CallContext context, std::string payload) {
  Result<std::string> result = fail(Code::kInternal, "not run");
  try {
    result = co_await handler(std::move(context), std::move(payload));
  } catch (const std::exception& e) {
    // One bad request must not end the process: in a guest that would be the whole VM.
    result = fail(Code::kInternal, std::string("unexpected failure: ") + e.what());
  }
  session->answer(stream, std::move(result));
}

Task<> Server::expire_call(std::shared_ptr<Session> session, uint32_t stream, int64_t nanos) {
  // The handler is not interrupted half way: its effects stay consistent. One that would take
  // something away asks its context's caller.
  constexpr int64_t kLongest = int64_t{24} * 3600 * 1000000000;
  if (nanos > kLongest) co_return;
  const auto deadline = Clock::now() + std::chrono::nanoseconds(nanos);
  // Short naps, so that an answered call does not keep the session alive for its whole budget.
  while (session->open.contains(stream) && !session->connection->closed()) {
    auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) {
      session->answer_late(stream);
      co_return;
    }
    co_await sleep_for(std::min<Clock::duration>(left, 5s));
  }
}

void Server::close_all() {
  for (const auto& connection : connections_) connection->close_after_writes();
}

}  // namespace kata::ttrpc
