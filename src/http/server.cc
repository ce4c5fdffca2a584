#include "http/server.h"

#include <algorithm>
#include <optional>

#include "base/deadline.h"
#include "base/utf8.h"

namespace kata::http {

namespace {

// For the peer to read an answer that it gets before its request was read to the end.
constexpr Clock::duration kLinger = 1s;
constexpr size_t kMaxLinger = 64 << 10;

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Internal Server Error";
  }
}

int status_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kResourceExhausted:
      return 413;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

enum class Framing { kLength, kChunked, kUntilClose };

std::string head_of(const Response& response, Framing framing) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason(response.status) +
                     "\r\nContent-Type: " + response.type +
                     "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (framing == Framing::kLength) {
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  } else if (framing == Framing::kChunked) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  return head + "\r\n";
}

std::string chunk(const std::string& piece) {
  char size[24];
  snprintf(size, sizeof size, "%zx\r\n", piece.size());
  return size + piece + "\r\n";
}

// A connection's end towards the peer.
struct Outlet {
  Stream& stream;
  Clock::duration stall;
  Clock::time_point progress = Clock::now();  // when the peer took something last
};

Task<bool> send(Outlet& outlet, std::string text) {
  auto cut = [&stream = outlet.stream] {
    boost::system::error_code ignored;
    stream.close(ignored);
  };
  for (size_t sent = 0; sent < text.size();) {
    Deadline deadline(outlet.stream.get_executor(), outlet.stall, cut);
    auto [error, n] = co_await outlet.stream.async_write_some(asio::buffer(text) + sent, use_tuple);
    if (error) co_return false;
    sent += n;
    outlet.progress = Clock::now();
  }
  co_return true;
}

// False when the peer went away.
Task<bool> send_response(Outlet& outlet, Response response, bool old, bool head_only) {
  const Framing framing = !response.more ? Framing::kLength
                          : old          ? Framing::kUntilClose
                                         : Framing::kChunked;
  std::string out = head_of(response, framing);
  if (head_only) co_return co_await send(outlet, std::move(out));
  if (framing == Framing::kLength) co_return co_await send(outlet, out + response.body);
  std::string piece = std::move(response.body);
  for (bool more = true; more;) {
    if (!piece.empty()) out += framing == Framing::kChunked ? chunk(piece) : piece;
    const bool sent = co_await send(outlet, std::move(out));
    if (!sent || (response.cut && response.cut())) co_return false;
    out.clear();
    piece.clear();
    more = response.more(&piece);
  }
  if (!piece.empty()) out = framing == Framing::kChunked ? chunk(piece) : piece;
  if (framing == Framing::kChunked) out += "0\r\n\r\n";
  co_return co_await send(outlet, std::move(out));
}

// Closing with unread data would take the answer away from the peer.
Task<> linger(Stream& stream) {
  boost::system::error_code ignored;
  stream.shutdown(Stream::shutdown_send, ignored);
  char waste[4096];
  for (size_t total = 0; total < kMaxLinger;) {
    auto [error, n] = co_await stream.async_receive(asio::buffer(waste), use_tuple);
    if (error || n == 0) co_return;
    total += n;
  }
}

}  // namespace

struct Server::Session {
  Session(Stream s, Clock::duration stall) : stream(std::move(s)), outlet{stream, stall} {}
  void close() {
    boost::system::error_code ignored;
    stream.close(ignored);
  }
  Stream stream;
  Outlet outlet;
  enum class Stage { kReading, kMaking, kAnswering } stage = Stage::kReading;
};

struct Server::State {
  asio::any_io_executor executor;
  Handler handler;
  Limits limits;
  std::function<bool(Stream&)> admits;
  std::list<std::shared_ptr<Session>> sessions;  // oldest first
  std::optional<ttrpc::Listener> listener;
  bool closed = false;
};

Response text_response(int status, std::string text) {
  Response response;
  response.status = status;
  response.body = std::move(text);
  if (!response.body.ends_with('\n')) response.body += '\n';
  return response;
}

Response error_response(const Error& error) {
  return text_response(status_of(error.code()), printable(error.message()));
}

Server::Server(asio::any_io_executor executor, Handler handler, Limits limits,
               std::function<bool(Stream&)> admits)
    : state_(std::make_shared<State>()) {
  state_->executor = std::move(executor);
  state_->handler = std::move(handler);
  state_->limits = limits;
  state_->admits = std::move(admits);
}

Server::~Server() {
  close();
}

size_t Server::connections() const {
  return state_->sessions.size();
}

void Server::close() {
  state_->closed = true;
  if (state_->listener) state_->listener->close();
  for (auto& session : state_->sessions) session->close();
}

// When all are served well, the newcomer has to wait its turn.
void Server::make_room(State& state) {
  using Stage = Session::Stage;
  if (state.sessions.size() < state.limits.connections) return;
  auto slow = std::ranges::find(state.sessions, Stage::kReading, &Session::stage);
  if (slow == state.sessions.end()) {
    const auto since = [](const auto& session) {
      return session->stage == Stage::kAnswering ? session->outlet.progress
                                                 : Clock::time_point::max();
    };
    slow = std::ranges::min_element(state.sessions, {}, since);
    if (slow == state.sessions.end() || since(*slow) > Clock::now() - state.limits.yield) return;
  }
  (*slow)->close();
  state.sessions.erase(slow);
}

Task<> Server::run(ttrpc::Listener listener) {
  auto state = state_;
  state->listener.emplace(std::move(listener));
  while (!state->closed) {
    auto stream = co_await state->listener->accept();
    if (!stream || state->closed) break;
    if (state->admits && !state->admits(*stream)) continue;
    make_room(*state);
    auto session = std::make_shared<Session>(std::move(*stream), state->limits.stall);
    if (state->sessions.size() >= state->limits.connections) continue;  // refused
    state->sessions.push_back(session);
    spawn(state->executor, serve(state, session));
  }
}

Task<> Server::serve(std::shared_ptr<State> state, std::shared_ptr<Session> session) {
  co_await converse(state, session);
  session->close();
  std::erase(state->sessions, session);
}

Task<> Server::converse(std::shared_ptr<State> state, std::shared_ptr<Session> session) {
  auto cut = [raw = session.get()] { raw->close(); };
  Result<Request> request = fail(Code::kUnavailable, "not read");
  {
    Deadline deadline(state->executor, state->limits.request, cut);
    request = co_await read_request(session->stream, state->limits.body);
  }
  session->stage = Session::Stage::kMaking;
  if (!request && request.error().code() == Code::kUnavailable) co_return;
  Deadline deadline(state->executor, state->limits.response, cut);
  if (!request) {
    const bool sent =
        co_await send_response(session->outlet, error_response(request.error()), false, false);
    if (!sent) co_return;
    Deadline patience(state->executor, kLinger, cut);
    co_await linger(session->stream);
    co_return;
  }
  const bool old = request->old, head_only = request->method == "HEAD";
  Response response = co_await state->handler(std::move(*request));
  session->stage = Session::Stage::kAnswering;
  session->outlet.progress = Clock::now();
  [[maybe_unused]] const bool sent =
      co_await send_response(session->outlet, std::move(response), old, head_only);
}

}  // namespace kata::http
