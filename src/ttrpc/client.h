#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "ttrpc/connection.h"
#include "ttrpc/message.h"

namespace kata::ttrpc {

struct CallOptions {
  Clock::duration timeout = Clock::duration::zero();  // zero = wait for ever
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Unary calls over one connection, many at a time. The peer may be hostile (an agent in a guest):
// replies are bounded by the frame limit and unknown or repeated replies are dropped. One event
// loop. Make it with `create`, which starts the reader.
class Client : public std::enable_shared_from_this<Client> {
 public:
  static std::shared_ptr<Client> create(Stream stream);
  ~Client();

  // Serialized request in, serialized response out. kUnavailable once the connection is closed,
  // kDeadlineExceeded when the time ran out.
  Task<Result<std::string>> call_raw(std::string service, std::string method, std::string payload,
                                     CallOptions options = {});

  template <class Response, class Request>
  Task<Result<Response>> call(std::string service, std::string method, const Request& request,
                              CallOptions options = {}) {
    return call_typed<Response>(std::move(service), std::move(method), request.SerializeAsString(),
                                std::move(options));
  }

  void close();
  bool is_closed() const { return closed_.is_set(); }
  // Set when the peer hung up or close() was called.
  Event closed() const { return closed_; }

 private:
  explicit Client(Stream stream);
  static Task<> read_loop(std::weak_ptr<Client> weak, std::shared_ptr<Connection> connection);
  void receive(Frame frame);

  template <class Response>
  Task<Result<Response>> call_typed(std::string service, std::string method, std::string payload,
                                    CallOptions options) {
    auto self = shared_from_this();
    std::string name = method;
    auto reply = co_await self->call_raw(std::move(service), std::move(method), std::move(payload),
                                         std::move(options));
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    Response response;
    if (!parse_message(*reply, &response)) {
      co_return fail(Code::kInternal, "malformed reply to " + name);
    }
    co_return response;
  }

  struct Pending {
    explicit Pending(asio::any_io_executor executor) : done(std::move(executor)) {}
    Event done;
    Result<std::string> reply = fail(Code::kUnavailable, "connection closed");
  };

  std::shared_ptr<Connection> connection_;
  Event closed_;
  uint32_t next_stream_ = 1;
  std::map<uint32_t, std::shared_ptr<Pending>> pending_;
};

}  // namespace kata::ttrpc
