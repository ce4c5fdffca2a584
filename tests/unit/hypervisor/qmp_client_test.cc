// The QMP client against a server that misbehaves.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "hypervisor/qemu/qmp_client.h"

namespace kata::hypervisor::qemu {
namespace {

constexpr std::string_view kGreeting =
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
    "\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n";

Task<> keep(Task<Result<Json>> task, std::optional<Result<Json>>* result) {
  *result = co_await std::move(task);
}
Task<> keep_status(Task<Status> task, std::optional<Status>* result) {
  *result = co_await std::move(task);
}

class QmpClientTest : public ::testing::Test {
 protected:
  QmpClientTest() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    server_.reset(pair[0]);
    client_ = *QmpClient::adopt(context_.get_executor(), UniqueFd(pair[1]));
    run();
  }
  ~QmpClientTest() override {
    client_->close();
    run();
  }

  void run() {
    context_.restart();
    while (context_.poll() > 0) {
    }
  }
  void say(std::string_view text) {
    EXPECT_EQ(send(server_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    run();
  }
  // What the client wrote.
  std::string heard() {
    run();
    std::string text(65536, 0);
    ssize_t got = recv(server_.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
  }
  void start(std::string command, std::optional<Result<Json>>* result) {
    kata::spawn(context_.get_executor(), keep(client_->execute(std::move(command)), result));
    run();
  }

  asio::io_context context_;
  UniqueFd server_;
  std::shared_ptr<QmpClient> client_;
  std::optional<Result<Json>> result_;
};

TEST_F(QmpClientTest, GreetingAloneIsNoSuccess) {
  std::optional<Status> negotiated;
  kata::spawn(context_.get_executor(), keep_status(client_->negotiate(5s), &negotiated));
  say(kGreeting);
  EXPECT_FALSE(negotiated.has_value());
  EXPECT_NE(heard().find("qmp_capabilities"), std::string::npos);
  say("{\"return\": {}, \"id\": 1}\r\n");
  ASSERT_TRUE(negotiated.has_value());
  EXPECT_TRUE(*negotiated);
}

TEST_F(QmpClientTest, EndDuringNegotiationIsSeenAtOnce) {
  std::optional<Status> negotiated;
  kata::spawn(context_.get_executor(), keep_status(client_->negotiate(60s), &negotiated));
  say(kGreeting);
  server_.reset();
  run();
  ASSERT_TRUE(negotiated.has_value());
  EXPECT_EQ(negotiated->error().code(), Code::kUnavailable);
}

TEST_F(QmpClientTest, RepliesArePairedByIdWithEventsBetween) {
  std::vector<std::string> events;
  client_->set_event_handler(
      [&](const std::string& name, const Json& data) { events.push_back(name + data.dump()); });
  std::optional<Result<Json>> other;
  start("query-status", &result_);
  start("query-cpus-fast", &other);
  say("{\"event\": \"STOP\", \"timestamp\": {}}\r\n{\"return\": [2], \"id\": 2}\r\n");
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(result_.has_value());
  EXPECT_EQ((*other)->dump(), "[2]");
  say("{\"event\": \"RESUME\", \"data\": {\"a\": 1}}\r\n{\"return\": {\"running\": true}, \"id\": "
      "1}\r\n");
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ((*result_)->dump(), "{\"running\":true}");
  EXPECT_EQ(events, (std::vector<std::string>{"STOPnull", "RESUME{\"a\":1}"}));
}

TEST_F(QmpClientTest, LinesMayArriveInPieces) {
  start("x", &result_);
  for (char c : std::string("{\"return\": {\"k\": \"v\"}, \"id\": 1}\n")) say(std::string(1, c));
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ((*result_)->dump(), "{\"k\":\"v\"}");
}

TEST_F(QmpClientTest, ErrorsCarryClassAndText) {
  start("device_del", &result_);
  say("{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}, \"id\": "
      "1}\n");
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->error().code(), Code::kNotFound);
  EXPECT_EQ(result_->error().message(), "QMP device_del: Device 'x' not found");
}

TEST_F(QmpClientTest, ReplyWithoutIdBelongsToTheOldest) {
  start("x", &result_);
  say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"Invalid JSON syntax\"}}\n");
  ASSERT_TRUE(result_.has_value());
  EXPECT_FALSE(*result_);
}

TEST_F(QmpClientTest, StrangeIdsAreIgnored) {
  start("x", &result_);
  say("{\"return\": 1, \"id\": 99}\n{\"return\": 1, \"id\": \"one\"}\n{\"return\": 1, \"id\": "
      "-1}\n");
  EXPECT_FALSE(result_.has_value());
  say("{\"return\": 7, \"id\": 1}\n");
  EXPECT_TRUE(result_.has_value());
}

TEST_F(QmpClientTest, GarbageEndsTheConnection) {
  const std::string deep(200, '[');
  for (std::string bad :
       {std::string("hello\n"), std::string("[1,2]\n"), std::string("{\"a\":\n"),
        std::string("{\"return\n"), std::string("{\"event\": 5}\n"), std::string("{\"x\": 1}\n"),
        std::string("\xff\xfe\n"), deep + "\n", "{\"return\":" + deep + "\n"}) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    server_.reset(pair[0]);
    client_ = *QmpClient::adopt(context_.get_executor(), UniqueFd(pair[1]));
    result_.reset();
    start("x", &result_);
    say(bad);
    ASSERT_TRUE(result_.has_value()) << bad;
    EXPECT_EQ(result_->error().code(), Code::kDataLoss) << bad;
    EXPECT_TRUE(client_->closed().is_set());
    start("y", &result_);
    EXPECT_FALSE(*result_);
  }
}

TEST_F(QmpClientTest, EndlessLineIsCutOff) {
  start("x", &result_);
  std::string part(64 * 1024, 'a');
  size_t sent = 0;
  while (!result_.has_value() && sent < (size_t{100} << 20)) {
    ssize_t n = send(server_.get(), part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent += static_cast<size_t>(n);
    run();
  }
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->error().code(), Code::kDataLoss);
  EXPECT_LT(sent, 4 * QmpClient::kMaxLine);
}

TEST_F(QmpClientTest, NoReplyInTimeFailsThatCommandOnly) {
  kata::spawn(context_.get_executor(), keep(client_->execute("slow", nullptr, {}, 10ms), &result_));
  run();
  usleep(20'000);
  run();
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->error().code(), Code::kDeadlineExceeded);
  say("{\"return\": 1, \"id\": 1}\n");  // late
  start("next", &result_);
  say("{\"return\": 2, \"id\": 2}\n");
  EXPECT_EQ((*result_)->dump(), "2");
}

TEST_F(QmpClientTest, DescriptorsTravelWithTheirCommand) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  std::vector<int> fds = {pipe_fds[1]};
  Json arguments = {{"fdname", "tap0"}};
  kata::spawn(context_.get_executor(),
              keep(client_->execute("getfd", std::move(arguments), std::move(fds)), &result_));
  run();
  close(pipe_fds[1]);
  char text[512], control[CMSG_SPACE(sizeof(int))];
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(server_.get(), &message, MSG_DONTWAIT);
  ASSERT_GT(got, 0);
  EXPECT_NE(std::string(text, static_cast<size_t>(got)).find("\"fdname\":\"tap0\""),
            std::string::npos);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  int received = -1;
  std::memcpy(&received, CMSG_DATA(header), sizeof received);
  EXPECT_EQ(write(received, "x", 1), 1);
  close(received);
  close(pipe_fds[0]);
}

}  // namespace
}  // namespace kata::hypervisor::qemu
