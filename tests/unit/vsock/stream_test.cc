// Streams both ways through the device: hybrid handshake, data, credit, closing.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vsock/fake_guest.h"
#include "vsock/muxer.h"

namespace kata::vsock::testing {
namespace {

Task<> connect(VhostUserVsock* device, Clock::duration limit,
               std::optional<Result<StreamSocket>>* result) {
  *result = co_await device->connect_when_listening(1024, Clock::now() + limit);
}

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() {
    char folder[] = "/tmp/vsock-test-XXXXXX";
    folder_ = mkdtemp(folder);
    device_ = std::move(*VhostUserVsock::create(context_.get_executor(), {kCid, folder_ + "/v"}));
    guest_.emplace(context_, *device_);
  }
  ~StreamTest() override {
    device_.reset();
    guest_->run();
    unlink((folder_ + "/v_9000").c_str());
    rmdir(folder_.c_str());
  }

  static sockaddr_un address(const std::string& path) {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    path.copy(a.sun_path, path.size());
    return a;
  }
  UniqueFd host_client() {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    auto a = address(folder_ + "/v");
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    return fd;
  }
  void say(const UniqueFd& fd, const std::string& text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    guest_->run();
  }
  // What the host socket has to read; "<eof>" at the end of the stream.
  std::string hear(const UniqueFd& fd) {
    guest_->run();
    std::string text(1 << 20, 0);
    ssize_t got = recv(fd.get(), text.data(), text.size(), MSG_DONTWAIT);
    if (got == 0) return "<eof>";
    if (got < 0) return errno == EAGAIN ? "" : "<error>";
    text.resize(static_cast<size_t>(got));
    return text;
  }
  // A host client connected to guest port 1024; the guest's view of it in peer_.
  UniqueFd established() {
    UniqueFd client = host_client();
    say(client, "CONNECT 1024\n");
    peer_ = guest_->expect(Op::kRequest).header;
    guest_->send(guest_->reply_to(peer_, Op::kResponse));
    EXPECT_EQ(hear(client).substr(0, 3), "OK ");
    return client;
  }

  asio::io_context context_;
  std::string folder_;
  std::unique_ptr<VhostUserVsock> device_;
  std::optional<FakeGuest> guest_;
  PacketHeader peer_;
};

TEST_F(StreamTest, AnswersTheControlProtocolAsQemuExpects) {
  guest_->request(1, {});
  auto features = guest_->reply();
  ASSERT_EQ(features.size(), 8u);
  EXPECT_EQ(features[4] & 1, 1);        // VERSION_1
  EXPECT_EQ(features[3] & 0x40, 0x40);  // PROTOCOL_FEATURES
  guest_->request(17, {});
  EXPECT_EQ(guest_->reply()[0], 2);
  std::vector<uint8_t> config(12 + 8);
  config[4] = 8;
  guest_->request(24, config);
  EXPECT_EQ(guest_->reply()[12], kCid);
}

TEST_F(StreamTest, ClientIsClosedWithoutAnswerBeforeTheDriverIsUp) {
  UniqueFd client = host_client();
  say(client, "CONNECT 1024\n");
  EXPECT_EQ(hear(client), "<eof>");
  EXPECT_FALSE(device_->driver_ready().is_set());
}

TEST_F(StreamTest, HybridHandshakeAndDataBothWays) {
  guest_->start();
  EXPECT_TRUE(device_->driver_ready().is_set());
  UniqueFd client = host_client();
  say(client, "connect 1024\nfirst");
  auto request = guest_->expect(Op::kRequest);
  EXPECT_EQ(request.header.src_cid, kHostCid);
  EXPECT_EQ(request.header.dst_cid, kCid);
  EXPECT_EQ(request.header.dst_port, 1024u);
  EXPECT_EQ(request.header.buf_alloc, Connection::kBufferSize);
  EXPECT_EQ(hear(client), "");
  guest_->send(guest_->reply_to(request.header, Op::kResponse));
  EXPECT_EQ(hear(client), "OK " + std::to_string(request.header.src_port) + "\n");
  EXPECT_EQ(guest_->expect(Op::kData).data, "first");
  guest_->send(guest_->reply_to(request.header, Op::kData), "answer");
  EXPECT_EQ(hear(client), "answer");
  EXPECT_TRUE(guest_->interrupted(0));
  EXPECT_TRUE(guest_->interrupted(1));
}

TEST_F(StreamTest, NobodyListensInTheGuest) {
  guest_->start();
  UniqueFd client = host_client();
  say(client, "CONNECT 7\n");
  auto request = guest_->expect(Op::kRequest);
  guest_->send(guest_->reply_to(request.header, Op::kReset));
  EXPECT_EQ(hear(client), "<eof>");
  EXPECT_EQ(device_->connections(), 0u);
}

TEST_F(StreamTest, BadConnectLinesAreDropped) {
  guest_->start();
  for (const char* line : {"HELLO 1024\n", "CONNECT 99999999999\n", "CONNECT \n", "CONNECT 1x\n",
                           "CONNECT 00000000000000000000000000000000001\n"}) {
    UniqueFd client = host_client();
    say(client, line);
    EXPECT_NE(hear(client), "") << line;
    EXPECT_FALSE(guest_->receive()) << line;
  }
}

TEST_F(StreamTest, DataIsSplitToSmallReceiveBuffers) {
  guest_->start(44 + 100);
  UniqueFd client = established();
  std::string sent;
  for (int i = 0; i < 1000; ++i) sent += static_cast<char>('a' + i % 26);
  say(client, sent);
  std::string got;
  while (auto packet = guest_->receive()) {
    EXPECT_LE(packet->data.size(), 100u);
    got += packet->data;
  }
  EXPECT_EQ(got, sent);
}

TEST_F(StreamTest, HostToGuestStopsAtTheGuestsCredit) {
  guest_->room = 1000;
  guest_->start();
  UniqueFd client = established();
  say(client, std::string(5000, 'x'));
  size_t got = 0;
  bool asked = false;
  while (auto packet = guest_->receive()) {
    got += packet->data.size();
    asked |= packet->header.op == static_cast<uint16_t>(Op::kCreditRequest);
  }
  EXPECT_EQ(got, 1000u);
  EXPECT_TRUE(asked);
  auto update = guest_->reply_to(peer_, Op::kCreditUpdate);
  update.fwd_cnt = 1000;
  guest_->send(update);
  while (auto packet = guest_->receive()) got += packet->data.size();
  EXPECT_EQ(got, 2000u);
}

TEST_F(StreamTest, GuestToHostIsKeptWithinTheCreditOfASlowClient) {
  guest_->start();
  UniqueFd client = established();
  // Fill the socket's own buffer, then the credit.
  size_t sent = 0;
  std::string chunk(32 * 1024, 'y');
  PacketHeader told;
  while (sent < 4 * Connection::kBufferSize) {
    guest_->send(guest_->reply_to(peer_, Op::kData), chunk);
    sent += chunk.size();
    while (auto packet = guest_->receive()) told = packet->header;
    if (sent - told.fwd_cnt > Connection::kBufferSize - chunk.size()) break;
  }
  EXPECT_EQ(device_->connections(), 1u);
  size_t got = 0;
  for (std::string part; !(part = hear(client)).empty();) got += part.size();
  EXPECT_EQ(got, sent);
  bool updated = false;
  while (auto packet = guest_->receive()) {
    updated |= packet->header.op == static_cast<uint16_t>(Op::kCreditUpdate);
  }
  EXPECT_TRUE(updated);
}

TEST_F(StreamTest, GuestBeyondItsCreditIsReset) {
  guest_->start();
  UniqueFd client = established();
  std::string chunk(64 * 1024, 'y');
  for (int i = 0; i < 32 && device_->connections() > 0; ++i) {
    guest_->send(guest_->reply_to(peer_, Op::kData), chunk);
  }
  EXPECT_EQ(device_->connections(), 0u);
  bool reset = false;
  while (auto packet = guest_->receive()) {
    reset |= packet->header.op == static_cast<uint16_t>(Op::kReset);
  }
  EXPECT_TRUE(reset);
}

TEST_F(StreamTest, CreditRequestIsAnswered) {
  guest_->start();
  UniqueFd client = established();
  guest_->send(guest_->reply_to(peer_, Op::kCreditRequest));
  EXPECT_EQ(guest_->expect(Op::kCreditUpdate).header.buf_alloc, Connection::kBufferSize);
}

TEST_F(StreamTest, HostCloseIsAFullShutdownAfterTheData) {
  guest_->start();
  UniqueFd client = established();
  say(client, "last words");
  client.reset();
  guest_->run();
  EXPECT_EQ(guest_->expect(Op::kData).data, "last words");
  EXPECT_EQ(guest_->expect(Op::kShutdown).header.flags, kNoMoreReceive | kNoMoreSend);
  guest_->send(guest_->reply_to(peer_, Op::kReset));
  EXPECT_EQ(device_->connections(), 0u);
}

TEST_F(StreamTest, HostHalfCloseStillTakesTheGuestsAnswer) {
  guest_->start();
  UniqueFd client = established();
  shutdown(client.get(), SHUT_WR);
  guest_->run();
  EXPECT_EQ(guest_->expect(Op::kShutdown).header.flags, kNoMoreSend);
  guest_->send(guest_->reply_to(peer_, Op::kData), "reply");
  EXPECT_EQ(hear(client), "reply");
  client.reset();
  guest_->run();
  EXPECT_EQ(guest_->expect(Op::kShutdown).header.flags, kNoMoreReceive | kNoMoreSend);
}

TEST_F(StreamTest, GuestCloseReachesTheHostAfterTheData) {
  guest_->start();
  UniqueFd client = established();
  guest_->send(guest_->reply_to(peer_, Op::kData), "bye");
  auto shutdown = guest_->reply_to(peer_, Op::kShutdown);
  shutdown.flags = kNoMoreReceive | kNoMoreSend;
  guest_->send(shutdown);
  EXPECT_EQ(hear(client), "bye");
  EXPECT_EQ(hear(client), "<eof>");
  guest_->expect(Op::kReset);
  EXPECT_EQ(device_->connections(), 0u);
}

TEST_F(StreamTest, GuestConnectsToAHostSocket) {
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto a = address(folder_ + "/v_9000");
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  guest_->start();
  guest_->send(guest_->packet(Op::kRequest, 50000, 9000));
  auto response = guest_->expect(Op::kResponse);
  EXPECT_EQ(response.header.src_port, 9000u);
  EXPECT_EQ(response.header.dst_port, 50000u);
  UniqueFd host(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(host);
  guest_->send(guest_->reply_to(response.header, Op::kData), "up");
  EXPECT_EQ(hear(host), "up");
  say(host, "down");
  EXPECT_EQ(guest_->expect(Op::kData).data, "down");
}

TEST_F(StreamTest, GuestConnectToNobodyIsReset) {
  guest_->start();
  guest_->send(guest_->packet(Op::kRequest, 50000, 9001));
  auto reset = guest_->expect(Op::kReset);
  EXPECT_EQ(reset.header.src_port, 9001u);
  EXPECT_EQ(reset.header.dst_port, 50000u);
}

TEST_F(StreamTest, InProcessConnectWaitsForTheListener) {
  std::optional<Result<StreamSocket>> result;
  kata::spawn(context_.get_executor(), connect(&*device_, 5s, &result));
  guest_->start();
  auto first = guest_->expect(Op::kRequest);
  guest_->send(guest_->reply_to(first.header, Op::kReset));
  std::optional<FakeGuest::Received> second;
  for (int i = 0; i < 1000 && !second; ++i) {
    usleep(1000);
    guest_->run();
    second = guest_->receive();
  }
  ASSERT_TRUE(second);
  guest_->send(guest_->reply_to(second->header, Op::kResponse));
  guest_->run();
  ASSERT_TRUE(result.has_value());
  ASSERT_TRUE(*result) << result->error().message();
  guest_->send(guest_->reply_to(second->header, Op::kData), "hi");
  char text[8];
  guest_->run();
  EXPECT_EQ(recv((*result)->native_handle(), text, sizeof text, MSG_DONTWAIT), 2);
}

TEST_F(StreamTest, InProcessConnectEndsWhenTheFrontEndGoes) {
  std::optional<Result<StreamSocket>> result;
  kata::spawn(context_.get_executor(), connect(&*device_, 60s, &result));
  guest_->run();
  FakeGuest* old = &*guest_;
  old->request(99, {0, 0, 0, 0, 0, 0, 0, 0});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->error().code(), Code::kUnavailable);
}

TEST_F(StreamTest, PauseKeepsConnectionsAndRebootEndsThem) {
  guest_->start();
  UniqueFd client = established();
  guest_->stop_rings();
  say(client, "while paused");
  EXPECT_EQ(device_->connections(), 1u);
  // Resume where the rings stopped: one packet each way so far.
  guest_->request(10, {0, 0, 0, 0, 1, 0, 0, 0});
  guest_->start_rings(1);
  EXPECT_EQ(guest_->expect(Op::kData).data, "while paused");
  guest_->stop_rings();
  guest_->set_available_index(0, 0);
  guest_->set_available_index(1, 0);
  guest_->start_rings(0);
  EXPECT_EQ(device_->connections(), 0u);
  EXPECT_EQ(hear(client), "<eof>");
}

TEST_F(StreamTest, MemoryTableMayComeAgainWhileRunning) {
  guest_->start();
  UniqueFd client = established();
  guest_->send_memory_table();
  say(client, "still here");
  EXPECT_EQ(guest_->expect(Op::kData).data, "still here");
}

}  // namespace
}  // namespace kata::vsock::testing
