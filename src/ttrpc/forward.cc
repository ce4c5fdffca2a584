#include "ttrpc/forward.h"

#include <memory>

#include "base/event.h"

namespace kata::ttrpc {

namespace {

constexpr size_t kChunk = 16 << 10;
constexpr char kConnected = 0, kRefused = 1;

void shut(Stream& stream, Stream::shutdown_type how) {
  boost::system::error_code ignored;
  stream.shutdown(how, ignored);
}

struct Pair {
  Stream one, other;
  Clock::duration half_closed;
  asio::steady_timer silence;  // runs while exactly one direction has ended
  int ended = 0;

  void shut_both() {
    shut(one, Stream::shutdown_both);
    shut(other, Stream::shutdown_both);
  }
};

// Bytes went through, or a direction ended.
void heard(const std::shared_ptr<Pair>& pair) {
  pair->silence.cancel();
  if (pair->ended != 1) return;
  pair->silence.expires_after(pair->half_closed);
  pair->silence.async_wait([pair](boost::system::error_code aborted) {
    if (!aborted) pair->shut_both();
  });
}

// Holds the pair: both sockets stay open until both directions are done.
Task<> copy(std::shared_ptr<Pair> pair, bool forth, Event done) {
  Stream& from = forth ? pair->one : pair->other;
  Stream& to = forth ? pair->other : pair->one;
  std::string buffer(kChunk, '\0');
  for (;;) {
    auto [read_error, size] = co_await from.async_read_some(asio::buffer(buffer), use_tuple);
    if (read_error == asio::error::eof || (!read_error && size == 0)) {
      shut(to, Stream::shutdown_send);
      break;
    }
    boost::system::error_code failed = read_error;
    if (!failed) {
      auto [write_error, n] =
          co_await asio::async_write(to, asio::buffer(buffer.data(), size), use_tuple);
      failed = write_error;
    }
    if (failed) {
      pair->shut_both();
      break;
    }
    if (pair->ended != 0) heard(pair);
  }
  ++pair->ended;
  heard(pair);
  done.set();
}

}  // namespace

Task<Status> ask_for_port(Stream& stream, uint16_t port) {
  const char request[] = {static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
  auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(request), use_tuple);
  if (failed) co_return fail(Code::kUnavailable, "ask for a port: " + failed.message());
  char answer = kRefused;
  auto [error, size] = co_await asio::async_read(stream, asio::buffer(&answer, 1), use_tuple);
  if (error) co_return fail(Code::kUnavailable, "ask for a port: " + error.message());
  if (answer == kConnected) co_return Status{};
  co_return fail(Code::kUnavailable,
                 "nobody listens on port " + std::to_string(port) + " in the guest");
}

Task<Result<uint16_t>> read_port_request(Stream& stream) {
  unsigned char request[2];
  auto [error, size] = co_await asio::async_read(stream, asio::buffer(request), use_tuple);
  if (error) co_return fail(Code::kUnavailable, "port request: " + error.message());
  co_return static_cast<uint16_t>(request[0] << 8 | request[1]);
}

Task<Status> answer_port_request(Stream& stream, bool connected) {
  const char answer = connected ? kConnected : kRefused;
  auto [error, size] = co_await asio::async_write(stream, asio::buffer(&answer, 1), use_tuple);
  if (error) co_return fail(Code::kUnavailable, "port answer: " + error.message());
  co_return Status{};
}

Task<> relay(Stream one, Stream other, Clock::duration half_closed) {
  auto executor = co_await asio::this_coro::executor;
  auto pair = std::make_shared<Pair>(std::move(one), std::move(other), half_closed,
                                     asio::steady_timer(executor));
  Event back_done(executor), forth_done(executor);
  spawn(executor, copy(pair, false, back_done));
  co_await copy(pair, true, forth_done);
  co_await back_done.wait();
}

}  // namespace kata::ttrpc
