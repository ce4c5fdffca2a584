#include "ttrpc/forward.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/event.h"
#include "ttrpc/transport.h"

namespace kata::ttrpc {
namespace {

struct Ends {
  Stream near, far;
};

Ends make_pair(asio::io_context& loop) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) std::abort();
  auto near = adopt_stream(loop.get_executor(), UniqueFd(fds[0]));
  auto far = adopt_stream(loop.get_executor(), UniqueFd(fds[1]));
  return {std::move(*near), std::move(*far)};
}

TEST(Forward, PortRequestAndAnswer) {
  asio::io_context loop(1);
  auto ends = make_pair(loop);
  uint16_t seen = 0;
  Status first = fail(Code::kInternal, "not run"), second;
  auto host = [](Stream* stream, Status* one, Status* two) -> Task<> {
    *one = co_await ask_for_port(*stream, 8443);
    *two = co_await ask_for_port(*stream, 81);
  };
  auto agent = [](Stream* stream, uint16_t* asked_for) -> Task<> {
    auto port = co_await read_port_request(*stream);
    *asked_for = port ? *port : uint16_t{0};
    auto yes = co_await answer_port_request(*stream, true);
    EXPECT_TRUE(yes);
    auto next = co_await read_port_request(*stream);
    EXPECT_TRUE(next);
    auto no = co_await answer_port_request(*stream, false);
    EXPECT_TRUE(no);
  };
  spawn(loop.get_executor(), host(&ends.near, &first, &second));
  spawn(loop.get_executor(), agent(&ends.far, &seen));
  loop.run();
  EXPECT_EQ(seen, 8443);
  EXPECT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("nobody listens on port 81"), std::string::npos);
}

TEST(Forward, AnAgentThatHangsUp) {
  asio::io_context loop(1);
  auto ends = make_pair(loop);
  Status asked;
  auto host = [](Stream* stream, Status* result) -> Task<> {
    *result = co_await ask_for_port(*stream, 80);
  };
  spawn(loop.get_executor(), host(&ends.near, &asked));
  ends.far.close();
  loop.run();
  EXPECT_FALSE(asked);
}

// One end speaks and is done, the other answers after that.
TEST(Forward, RelayPassesTheEndOfEachDirectionOn) {
  asio::io_context loop(1);
  auto client = make_pair(loop);
  auto server = make_pair(loop);
  const std::string question(300'000, 'q');
  std::string heard, answer;
  auto ask = [](Stream* stream, const std::string* out, std::string* in) -> Task<> {
    co_await asio::async_write(*stream, asio::buffer(*out), use_tuple);
    stream->shutdown(Stream::shutdown_send);
    co_await asio::async_read(*stream, asio::dynamic_buffer(*in), use_tuple);
  };
  auto reply = [](Stream* stream, std::string* in) -> Task<> {
    co_await asio::async_read(*stream, asio::dynamic_buffer(*in), use_tuple);
    const std::string text = "heard all of it";
    co_await asio::async_write(*stream, asio::buffer(text), use_tuple);
    stream->shutdown(Stream::shutdown_send);
  };
  spawn(loop.get_executor(), ask(&client.near, &question, &answer));
  spawn(loop.get_executor(), reply(&server.far, &heard));
  spawn(loop.get_executor(), relay(std::move(client.far), std::move(server.near)));
  loop.run();
  EXPECT_EQ(heard, question);
  EXPECT_EQ(answer, "heard all of it");
}

// The client has gone, and the far end neither speaks nor closes.
TEST(Forward, AFarEndThatNeverClosesIsGivenUp) {
  asio::io_context loop(1);
  auto client = make_pair(loop);
  auto server = make_pair(loop);
  bool over = false;
  auto carry = [](Stream one, Stream other, bool* done) -> Task<> {
    co_await relay(std::move(one), std::move(other), 100ms);
    *done = true;
  };
  spawn(loop.get_executor(), carry(std::move(client.far), std::move(server.near), &over));
  loop.run_for(300ms);
  EXPECT_FALSE(over);  // silence of an open connection is no reason
  client.near.close();
  loop.run_for(10s);
  EXPECT_TRUE(over);
  EXPECT_TRUE(server.far.is_open());
}

// Every byte starts the time anew.
TEST(Forward, AnAnswerThatComesSlowlyIsHeardToItsEnd) {
  asio::io_context loop(1);
  auto client = make_pair(loop);
  auto server = make_pair(loop);
  std::string answer;
  auto hear = [](Stream* stream, std::string* in) -> Task<> {
    stream->shutdown(Stream::shutdown_send);
    co_await asio::async_read(*stream, asio::dynamic_buffer(*in), use_tuple);
  };
  auto speak = [](Stream* stream) -> Task<> {
    for (int i = 0; i < 8; ++i) {
      co_await sleep_for(200ms);
      co_await asio::async_write(*stream, asio::buffer("x", 1), use_tuple);
    }
    stream->shutdown(Stream::shutdown_send);
  };
  spawn(loop.get_executor(), hear(&client.near, &answer));
  spawn(loop.get_executor(), speak(&server.far));
  spawn(loop.get_executor(), relay(std::move(client.far), std::move(server.near), 1s));
  loop.run_for(30s);
  EXPECT_EQ(answer, "xxxxxxxx");
}

}  // namespace
}  // namespace kata::ttrpc
