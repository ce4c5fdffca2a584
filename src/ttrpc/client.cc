#include "ttrpc/client.h"

#include "ttrpc/ttrpc.pb.h"

namespace kata::ttrpc {

Client::Client(Stream stream)
    : connection_(std::make_shared<Connection>(std::move(stream))),
      closed_(connection_->executor()) {}

Client::~Client() {
  close();
}

std::shared_ptr<Client> Client::create(Stream stream) {
  std::shared_ptr<Client> client(new Client(std::move(stream)));
  spawn(client->connection_->executor(), read_loop(client, client->connection_));
  return client;
}

Task<Result<std::string>> Client::call_raw(std::string service, std::string method,
                                           std::string payload, CallOptions options) {
  auto self = shared_from_this();
  if (self->is_closed()) co_return fail(Code::kUnavailable, method + ": connection closed");
  ::ttrpc::Request request;
  request.set_service(std::move(service));
  request.set_method(method);
  request.set_payload(std::move(payload));
  const bool limited = options.timeout > Clock::duration::zero();
  if (limited) {
    request.set_timeout_nano(
        std::chrono::duration_cast<std::chrono::nanoseconds>(options.timeout).count());
  }
  for (auto& [key, value] : options.metadata) {
    auto* pair = request.add_metadata();
    pair->set_key(std::move(key));
    pair->set_value(std::move(value));
  }
  const uint32_t stream = self->next_stream_;
  CO_TRY(OutFrame frame, make_frame(stream, FrameType::kRequest, {}, request.SerializeAsString()));
  self->next_stream_ += 2;
  auto pending = std::make_shared<Pending>(self->connection_->executor());
  self->pending_[stream] = pending;
  self->connection_->send(std::move(frame));
  const bool answered =
      co_await pending->done.wait_for(limited ? options.timeout : Clock::duration::max());
  self->pending_.erase(stream);
  if (!answered) {
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count();
    co_return fail(Code::kDeadlineExceeded,
                   method + ": no answer after " + std::to_string(ms) + " ms");
  }
  if (!pending->reply) {
    co_return std::unexpected(std::move(pending->reply.error()).context(method));
  }
  co_return std::move(pending->reply);
}

Task<> Client::read_loop(std::weak_ptr<Client> weak, std::shared_ptr<Connection> connection) {
  while (true) {
    auto frame = co_await read_frame(connection->stream());
    auto self = weak.lock();
    if (!self) break;
    if (!frame) {
      self->close();
      break;
    }
    self->receive(std::move(*frame));
  }
}

void Client::receive(Frame frame) {
  if (frame.header.type != static_cast<uint8_t>(FrameType::kResponse)) return;
  auto found = pending_.find(frame.header.stream);
  if (found == pending_.end()) return;
  auto pending = found->second;
  pending_.erase(found);
  pending->reply = frame.oversized ? fail(Code::kResourceExhausted, "reply above 4 MiB")
                                   : decode_response(std::move(frame.payload));
  pending->done.set();
}

void Client::close() {
  if (is_closed()) return;
  connection_->close();
  closed_.set();
  for (auto& [stream, pending] : pending_) pending->done.set();
}

}  // namespace kata::ttrpc
