#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"

namespace kata::ttrpc {

// Protobuf by hand, so that malformed bytes can be written and nothing is checked by what is
// tested.
inline std::string varint(uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string number(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
inline std::string bytes(int field, const std::string& value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}

// ttrpc.Request: service 1, method 2, payload 3, timeout_nano 4, metadata 5.
inline std::string request(const std::string& service, const std::string& method,
                           const std::string& payload = "") {
  return bytes(1, service) + bytes(2, method) + (payload.empty() ? "" : bytes(3, payload));
}
// ttrpc.Response: status 1 (code 1, message 2), payload 2.
inline std::string success(const std::string& payload) {
  return payload.empty() ? "" : bytes(2, payload);
}
inline std::string failure(int code, const std::string& text) {
  return bytes(1, number(1, static_cast<uint64_t>(code)) + bytes(2, text));
}

inline std::string raw_frame(uint32_t length, uint32_t stream, int type, int flags,
                             const std::string& payload) {
  HeaderBytes head =
      encode_header({length, stream, static_cast<uint8_t>(type), static_cast<uint8_t>(flags)});
  return std::string(head.begin(), head.end()) + payload;
}
inline std::string frame(uint32_t stream, const std::string& payload, int type = 1, int flags = 0) {
  return raw_frame(static_cast<uint32_t>(payload.size()), stream, type, flags, payload);
}

// A server of raw methods and any number of peers that write bytes, all on one loop:
//   t.S/Echo   answers the payload       t.S/Fail   NOT_FOUND "nothing here"
//   t.S/Slow   answers after 300 ms      t.S/Throw  lets an exception escape
//   t.S/Big    answers 4 MiB + 1         t.S/Hold   answers when the peer is gone
class WirePeerTest : public ::testing::Test {
 protected:
  WirePeerTest() {
    handle("Echo", [](CallContext, std::string payload) { return same(std::move(payload)); });
    handle("Slow",
           [](CallContext, std::string payload) { return late(300ms, std::move(payload)); });
    handle("Hold", [](CallContext, std::string payload) { return late(60s, std::move(payload)); });
    handle("Big", [](CallContext, std::string) { return same(std::string(kMaxPayload + 1, 'x')); });
    handle("Fail", [](CallContext, std::string) { return refuse(); });
    handle("Throw", [](CallContext, std::string) { return explode(); });
  }

  void handle(const std::string& method, Handler handler) {
    server_.handle_raw("t.S", method, std::move(handler));
  }

  // A new connection to the server; the peer's end.
  std::shared_ptr<Stream> connect() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    auto executor = loop_.get_executor();
    spawn(executor, server_.serve(std::move(*adopt_stream(executor, UniqueFd(fds[0])))));
    return std::make_shared<Stream>(std::move(*adopt_stream(executor, UniqueFd(fds[1]))));
  }

  // Runs a coroutine to its end.
  void run(Task<> task) {
    loop_.restart();
    auto ended = std::make_shared<bool>(false);
    asio::co_spawn(loop_, std::move(task), [this, ended](std::exception_ptr thrown) {
      EXPECT_FALSE(thrown);
      *ended = true;
      loop_.stop();
    });
    loop_.run_for(std::chrono::seconds(60));
    EXPECT_TRUE(*ended) << "the server did not answer";
  }

  // Writes the bytes and reads as many as `want` has, or up to the end of the connection.
  static Task<> talk(std::shared_ptr<Stream> peer, std::string send, size_t want,
                     std::string* got) {
    Event written(peer->get_executor());
    spawn(peer->get_executor(), write(peer, std::move(send), written));
    got->resize(want);
    auto [error, n] = co_await asio::async_read(*peer, asio::buffer(*got), use_tuple);
    got->resize(n);
    co_await written.wait();
  }
  // Beside the reading: a server that answers while it reads must not stop both.
  static Task<> write(std::shared_ptr<Stream> peer, std::string send, Event done) {
    co_await asio::async_write(*peer, asio::buffer(send), use_tuple);
    done.set();
  }
  static Task<> until_closed(std::shared_ptr<Stream> peer, std::string* got) {
    auto [error, n] = co_await asio::async_read(*peer, asio::dynamic_buffer(*got), use_tuple);
    EXPECT_EQ(error, asio::error::eof);
  }

  asio::io_context loop_{1};
  Server server_;

 private:
  static Task<Result<std::string>> same(std::string payload) { co_return payload; }
  static Task<Result<std::string>> late(Clock::duration delay, std::string payload) {
    co_await sleep_for(delay);
    co_return payload;
  }
  static Task<Result<std::string>> refuse() { co_return fail(Code::kNotFound, "nothing here"); }
  static Task<Result<std::string>> explode() {
    throw std::runtime_error("boom");
    co_return std::string();
  }
};

}  // namespace kata::ttrpc
