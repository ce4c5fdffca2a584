#include <gtest/gtest.h>
#include <sys/socket.h>

#include "containerd/task.pb.h"
#include "ttrpc/client.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"

namespace kata::ttrpc {
namespace {

using containerd::task::v2::StateRequest;
using containerd::task::v2::StateResponse;

// A server and a client joined by a socket pair, both on one loop.
class ServerClientTest : public ::testing::Test {
 protected:
  ServerClientTest() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    server_end_ = std::make_unique<Stream>(*adopt_stream(loop_.get_executor(), UniqueFd(fds[0])));
    client_end_ = std::make_unique<Stream>(*adopt_stream(loop_.get_executor(), UniqueFd(fds[1])));
    server_.handle<StateRequest, StateResponse>(
        "test.Service", "Echo", [](StateRequest request) -> Task<Result<StateResponse>> {
          StateResponse response;
          response.set_id(request.id());
          co_return response;
        });
    server_.handle<StateRequest, StateResponse>("test.Service", "Fail",
                                                [](StateRequest) -> Task<Result<StateResponse>> {
                                                  co_return fail(Code::kNotFound, "no such thing");
                                                });
    server_.handle<StateRequest, StateResponse>("test.Service", "Slow",
                                                [](StateRequest) -> Task<Result<StateResponse>> {
                                                  co_await sleep_for(2s);
                                                  co_return StateResponse();
                                                });
  }

  void start_server() { spawn(loop_.get_executor(), server_.serve(std::move(*server_end_))); }

  // Runs a coroutine to its end, then drops what is left on the loop.
  void run(Task<> task) {
    asio::co_spawn(loop_, std::move(task), [this](std::exception_ptr failure) {
      EXPECT_FALSE(failure);
      loop_.stop();
    });
    loop_.run_for(std::chrono::seconds(10));
  }

  asio::io_context loop_{1};
  Server server_;
  std::unique_ptr<Stream> server_end_, client_end_;
};

Task<> echo_once(std::shared_ptr<Client> client, std::string id, std::string* out) {
  StateRequest request;
  request.set_id(id);
  auto reply = co_await client->call<StateResponse>("test.Service", "Echo", request);
  *out = reply ? reply->id() : reply.error().message();
}

TEST_F(ServerClientTest, EchoesAMessage) {
  start_server();
  std::string got;
  run(echo_once(Client::create(std::move(*client_end_)), "c1", &got));
  EXPECT_EQ(got, "c1");
}

Task<> fetch_error(std::shared_ptr<Client> client, std::string service, std::string method,
                   Clock::duration timeout, std::optional<Error>* out) {
  CallOptions options;
  options.timeout = timeout;
  auto reply = co_await client->call<StateResponse>(service, method, StateRequest(), options);
  if (!reply) *out = reply.error();
}

TEST_F(ServerClientTest, CarriesTheStatusOfAFailure) {
  start_server();
  std::optional<Error> error;
  run(fetch_error(Client::create(std::move(*client_end_)), "test.Service", "Fail", 5s, &error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::kNotFound);
  EXPECT_EQ(error->message(), "Fail: no such thing");
}

TEST_F(ServerClientTest, UnknownMethodAndServiceAreUnimplemented) {
  start_server();
  auto client = Client::create(std::move(*client_end_));
  std::optional<Error> method, service;
  auto both = [](std::shared_ptr<Client> c, std::optional<Error>* m,
                 std::optional<Error>* s) -> Task<> {
    co_await fetch_error(c, "test.Service", "Nope", 5s, m);
    co_await fetch_error(c, "test.Nope", "Echo", 5s, s);
  };
  run(both(client, &method, &service));
  ASSERT_TRUE(method && service);
  EXPECT_EQ(method->code(), Code::kUnimplemented);
  EXPECT_EQ(service->code(), Code::kUnimplemented);
}

TEST_F(ServerClientTest, DeadlineEndsACall) {
  start_server();
  std::optional<Error> error;
  auto begin = Clock::now();
  run(fetch_error(Client::create(std::move(*client_end_)), "test.Service", "Slow", 100ms, &error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::kDeadlineExceeded);
  EXPECT_LT(Clock::now() - begin, 1500ms);
}

TEST_F(ServerClientTest, HangUpFailsPendingCalls) {
  std::optional<Error> error;
  auto client = Client::create(std::move(*client_end_));
  auto drop = [](Stream stream) -> Task<> {
    co_await sleep_for(50ms);
    stream.close();
  };
  spawn(loop_.get_executor(), drop(std::move(*server_end_)));
  run(fetch_error(client, "test.Service", "Echo", 5s, &error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::kUnavailable);
}

// Sends raw bytes, returns what comes back until `expected` bytes arrived or 300 ms passed.
Task<> exchange(Stream* stream, std::string bytes, size_t expected, std::string* out) {
  co_await asio::async_write(*stream, asio::buffer(bytes), use_tuple);
  out->resize(expected);
  auto [error, n] = co_await asio::async_read(*stream, asio::buffer(*out), use_tuple);
  out->resize(n);
}

std::string frame_bytes(uint32_t length, uint32_t stream, uint8_t type, std::string payload) {
  auto header = encode_header({length, stream, type, 0});
  return std::string(header.begin(), header.end()) + payload;
}

TEST_F(ServerClientTest, EvenStreamIdIsRefusedAndTheConnectionLives) {
  start_server();
  std::string out;
  run(exchange(client_end_.get(), frame_bytes(0, 2, 1, ""), kHeaderSize, &out));
  ASSERT_EQ(out.size(), kHeaderSize);
  EXPECT_EQ(static_cast<uint8_t>(out[7]), 2);
  EXPECT_EQ(static_cast<uint8_t>(out[8]), 2) << "type response";
}

TEST_F(ServerClientTest, OversizedRequestIsDrainedAndAnswered) {
  start_server();
  const uint32_t length = kMaxPayload + 1;
  std::string out;
  run(exchange(client_end_.get(), frame_bytes(length, 1, 1, std::string(length, 'x')),
               kHeaderSize + 4, &out));
  ASSERT_EQ(out.size(), kHeaderSize + 4);
  EXPECT_EQ(out.substr(kHeaderSize, 1), "\x0a") << "status field";
  EXPECT_EQ(out[kHeaderSize + 3], 8) << "RESOURCE_EXHAUSTED";
}

TEST_F(ServerClientTest, MalformedRequestIsAnswered) {
  start_server();
  std::string out;
  run(exchange(client_end_.get(), frame_bytes(3, 1, 1, "\xff\xff\xff"), kHeaderSize + 4, &out));
  ASSERT_EQ(out.size(), kHeaderSize + 4);
  EXPECT_EQ(out[kHeaderSize + 3], 3) << "INVALID_ARGUMENT";
}

// A peer that checks its strings would refuse the whole answer.
TEST(ResponseTest, AFailureThatQuotesBrokenBytesIsStillAValidMessage) {
  auto result = decode_response(encode_failure(Error(Code::kNotFound, "open /a\xff\xc3/b")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kNotFound);
  EXPECT_EQ(result.error().message(), "open /a\xef\xbf\xbd\xef\xbf\xbd/b");
}

TEST(ResponseTest, HostileStatusIsCleaned) {
  // Response{status{code: 99, message: "a\nb"}}.
  const std::string bytes(
      "\x0a\x07\x08\x63\x12\x03"
      "a\nb",
      9);
  auto result = decode_response(bytes);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kUnknown);
  EXPECT_EQ(result.error().message(), "a b");
}

}  // namespace
}  // namespace kata::ttrpc
