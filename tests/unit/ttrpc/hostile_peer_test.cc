// Peers that are slow, many, half gone or greedy: they harm themselves only.
#include "ttrpc/wire_peer.h"

namespace kata::ttrpc {
namespace {

using HostilePeerTest = WirePeerTest;

std::string echo_call(uint32_t stream) {
  return frame(stream, request("t.S", "Echo", "hi"));
}
std::string echo_reply(uint32_t stream) {
  return frame(stream, success("hi"), 2);
}

Task<> dribble(std::shared_ptr<Stream> peer, std::string send, Clock::duration pause) {
  for (char c : send) {
    co_await asio::async_write(*peer, asio::buffer(&c, 1), use_tuple);
    co_await sleep_for(pause);
  }
}

TEST_F(HostilePeerTest, ASlowSenderDelaysNobody) {
  auto slow = connect();
  spawn(loop_.get_executor(), dribble(slow, echo_call(1), 1s));
  const auto begin = Clock::now();
  std::string got;
  run(talk(connect(), echo_call(1), echo_reply(1).size(), &got));
  EXPECT_EQ(got, echo_reply(1));
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST_F(HostilePeerTest, AFrameMayComeByteByByte) {
  auto peer = connect();
  spawn(loop_.get_executor(), dribble(peer, echo_call(1), 1ms));
  std::string got;
  run(talk(peer, "", echo_reply(1).size(), &got));
  EXPECT_EQ(got, echo_reply(1));
}

TEST_F(HostilePeerTest, AHalfClosedPeerIsGone) {
  bool ran = false;
  handle("Mark", [&ran](CallContext, std::string) -> Task<Result<std::string>> {
    ran = true;
    co_return std::string();
  });
  auto leave = [](std::shared_ptr<Stream> peer, std::string* got) -> Task<> {
    std::string send = frame(1, request("t.S", "Mark"));
    co_await asio::async_write(*peer, asio::buffer(send), use_tuple);
    peer->shutdown(Stream::shutdown_send);
    co_await until_closed(peer, got);
  };
  std::string got;
  run(leave(connect(), &got));
  EXPECT_TRUE(ran) << "what was asked for is done";
  EXPECT_EQ(server_.connection_count(), 0u);
}

TEST_F(HostilePeerTest, SixtyFourPeersAtOnce) {
  std::vector<std::shared_ptr<Stream>> peers;
  std::vector<std::string> got(64);
  for (size_t i = 0; i < got.size(); ++i) {
    peers.push_back(connect());
    spawn(loop_.get_executor(),
          talk(peers[i], frame(1, request("t.S", "Slow", "hi")), echo_reply(1).size(), &got[i]));
  }
  run(sleep_for(2s));
  for (const auto& reply : got) EXPECT_EQ(reply, echo_reply(1));
}

TEST_F(HostilePeerTest, TenThousandOpenCallsAreAnswered) {
  std::string send, want;
  for (uint32_t i = 0; i < 10000; ++i) {
    send += frame(2 * i + 1, request("t.S", "Slow", "hi"));
    want += echo_reply(2 * i + 1);
  }
  std::string got;
  run(talk(connect(), send, want.size(), &got));
  EXPECT_EQ(got.size(), want.size());
}

TEST_F(HostilePeerTest, TooManyOpenCallsAreRefused) {
  std::string send;
  for (uint32_t i = 0; i < 16384; ++i) send += frame(2 * i + 1, request("t.S", "Hold"));
  send += frame(32769, request("t.S", "Hold"));
  const std::string want = frame(32769, failure(8, "too many open calls"), 2);
  std::string got;
  run(talk(connect(), send, want.size(), &got));
  EXPECT_EQ(got, want);
}

TEST_F(HostilePeerTest, ALateResultIsNotASecondAnswer) {
  auto peer = connect();
  std::string got;
  const std::string want = frame(1, failure(4, "timeout"), 2);
  run(talk(peer, frame(1, request("t.S", "Slow", "hi") + number(4, 1)), want.size(), &got));
  EXPECT_EQ(got, want);
  run(sleep_for(400ms));  // the method's own result is there now
  run(talk(peer, echo_call(3), echo_reply(3).size(), &got));
  EXPECT_EQ(got, echo_reply(3));
}

}  // namespace
}  // namespace kata::ttrpc
