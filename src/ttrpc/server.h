#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ttrpc/connection.h"
#include "ttrpc/message.h"

namespace kata::ttrpc {

// Whether the caller of one call still waits: its deadline has not passed and its connection
// stands. For handlers that take something away which nobody else gets then. One event loop.
class Caller {
 public:
  bool gone() const { return gone_; }
  // `wake` is called once when the caller goes; it replaces the one before.
  void on_gone(std::function<void()> wake) { wake_ = std::move(wake); }

  void leave() {
    gone_ = true;
    if (auto wake = std::exchange(wake_, nullptr)) wake();
  }

 private:
  bool gone_ = false;
  std::function<void()> wake_;
};

// What a handler may want to know about its call.
struct CallContext {
  std::string service;
  std::string method;
  int64_t timeout_nano = 0;  // 0 = none
  std::vector<std::pair<std::string, std::string>> metadata;
  std::shared_ptr<Caller> caller;
};

using Handler = std::function<Task<Result<std::string>>(CallContext, std::string payload)>;

// Answers unary calls on any number of connections, each call in a coroutine of its own: a call
// that blocks for a container's life delays no other. Outlives its connections; one event loop.
class Server {
 public:
  // Code for a service nobody registered: 12 for containerd, 3 as upstream's agent does.
  explicit Server(Code unknown_service = Code::kUnimplemented)
      : unknown_service_(unknown_service) {}

  void handle_raw(const std::string& service, const std::string& method, Handler handler);

  // Registers `Task<Result<Response>> function(Request)`, with or without a CallContext after it. A
  // Response that is a std::string is a message serialized already.
  template <class Request, class Response, class F>
  void handle(const std::string& service, const std::string& method, F function) {
    handle_raw(service, method,
               [f = std::move(function)](CallContext context, std::string payload) {
                 return run_typed<Request, Response>(f, std::move(context), std::move(payload));
               });
  }

  // Serves one connection until the peer closes it or breaks the framing.
  Task<> serve(Stream stream);
  // Ends every connection after its queued replies are written.
  void close_all();
  size_t connection_count() const { return connections_.size(); }

 private:
  struct Session;
  template <class Request, class Response, class F>
  static Task<Result<std::string>> run_typed(const F& function, CallContext context,
                                             std::string payload) {
    Request request;
    if (!parse_message(payload, &request)) {
      co_return fail(Code::kInvalidArgument, "malformed request of " + context.method);
    }
    Result<Response> response = fail(Code::kInternal, "not run");
    if constexpr (std::is_invocable_v<const F&, Request, CallContext>) {
      response = co_await function(std::move(request), std::move(context));
    } else {
      response = co_await function(std::move(request));
    }
    if (!response) co_return std::unexpected(std::move(response.error()));
    if constexpr (std::is_same_v<Response, std::string>) {
      co_return std::move(*response);
    } else {
      co_return response->SerializeAsString();
    }
  }

  void dispatch(const std::shared_ptr<Session>& session, Frame frame);
  static Task<> run_call(std::shared_ptr<Session> session, uint32_t stream, Handler handler,
                         CallContext context, std::string payload);
  static Task<> expire_call(std::shared_ptr<Session> session, uint32_t stream, int64_t nanos);
  Result<Handler> find(const std::string& service, const std::string& method) const;

  Code unknown_service_;
  std::map<std::string, std::map<std::string, Handler>> services_;
  std::set<std::shared_ptr<Connection>> connections_;
};

}  // namespace kata::ttrpc
