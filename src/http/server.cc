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

Task<bool> send(Stream& stream, std::string text) {
  auto [error, n] = co_await asio::async_write(stream, asio::buffer(text), use_tuple);
  co_return !error;
}

// False when the peer went away.
Task<bool> send_response(Stream& stream, Response response, bool old, bool head_only) {
  const Framing framing = !response.more ? Framing::kLength
                          : old          ? Framing::kUntilClose
                                         : Framing::kChunked;
  std::string out = head_of(response, framing);
  if (head_only) co_return co_await send(stream, std::move(out));
  if (framing == Framing::kLength) co_return co_await send(stream, out + response.body);
  std::string piece = std::move(response.body);
  for (bool more = true; more;) {
    if (!piece.empty()) out += framing == Framing::kChunked ? chunk(piece) : piece;
    const bool sent = co_await send(stream, std::move(out));
    if (!sent) co_return false;
    out.clear();
    piece.clear();
    more = response.more(&piece);
  }
  if (!piece.empty()) out = framing == Framing::kChunked ? chunk(piece) : piece;
  if (framing == Framing::kChunked) out += "0\r\n\r\n";
  co_return co_await send(stream, std::move(out));
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
  explicit Session(Stream s) : stream(std::move(s)) {}
  void close() {
    boost::system::error_code ignored;
    stream.close(ignored);
  }
  Stream stream;
  bool reading = true;  // its request is not complete yet
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

// The one that has been sending its request for the longest time goes; when all have been read, the
// newcomer has to wait its turn.
void Server::make_room(State& state) {
  if (state.sessions.size() < state.limits.connections) return;
  auto slow = std::ranges::find_if(state.sessions, [](const auto& s) { return s->reading; });
  if (slow == state.sessions.end()) return;
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
    auto session = std::make_shared<Session>(std::move(*stream));
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
  session->reading = false;
  if (!request && request.error().code() == Code::kUnavailable) co_return;
  Deadline deadline(state->executor, state->limits.response, cut);
  if (!request) {
    const bool sent =
        co_await send_response(session->stream, error_response(request.error()), false, false);
    if (!sent) co_return;
    Deadline patience(state->executor, kLinger, cut);
    co_await linger(session->stream);
    co_return;
  }
  const bool old = request->old, head_only = request->method == "HEAD";
  Response response = co_await state->handler(std::move(*request));
  [[maybe_unused]] const bool sent =
      co_await send_response(session->stream, std::move(response), old, head_only);
}

}  // namespace kata::http
