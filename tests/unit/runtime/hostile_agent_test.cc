// Lies of a guest's agent, reply class by reply class (facts/reliability.md section 5.3).
#include "runtime/fake_agent.h"

namespace kata::runtime {
namespace {

using HostileAgentTest = FakeAgentTest;

TEST_F(HostileAgentTest, ExitStatusOutOfRangeIsRefused) {
  grpc::WaitProcessResponse response;
  for (int32_t status : {-1, 256, INT32_MAX, INT32_MIN}) {
    response.set_status(status);
    answer("WaitProcess", response.SerializeAsString());
    EXPECT_FALSE(run(agent_->wait_process("c", ""))) << status;
  }
  response.set_status(255);
  answer("WaitProcess", response.SerializeAsString());
  EXPECT_EQ(run(agent_->wait_process("c", "")).value_or(0), 255u);
}

TEST_F(HostileAgentTest, MoreOutputThanAskedForIsRefused) {
  grpc::ReadStreamResponse response;
  response.set_data(std::string(101, 'x'));
  answer("ReadStdout", response.SerializeAsString());
  auto data = run(agent_->read(AgentClient::Output::kStdout, "c", "", 100));
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message(), "ReadStdout: more data than asked for");
}

TEST_F(HostileAgentTest, GarbageInsteadOfAReplyIsAnError) {
  for (const char* method : {"WaitProcess", "StatsContainer", "GetGuestDetails", "GetOOMEvent"}) {
    answer(method, "\xff\xff\xff\xff\xff");
  }
  EXPECT_FALSE(run(agent_->wait_process("c", "")));
  EXPECT_FALSE(run(agent_->stats("c")));
  EXPECT_FALSE(run(agent_->guest_details()));
  EXPECT_FALSE(run(agent_->oom_event()));
}

TEST_F(HostileAgentTest, SilenceEndsAtTheDeadline) {
  keep_silent("CreateContainer");
  const auto begin = Clock::now();
  auto created = run(agent_->create_container({}));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(Clock::now() - begin, 2s);
}

TEST_F(HostileAgentTest, NotServingIsUnavailable) {
  grpc::HealthCheckResponse response;
  response.set_status(grpc::HealthCheckResponse::NOT_SERVING);
  answer("Check", response.SerializeAsString(), "grpc.Health");
  auto checked = run(agent_->check(1s));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::kUnavailable);
}

TEST_F(HostileAgentTest, ErrorTextIsCutAndCleaned) {
  server_.handle_raw("grpc.AgentService", "StartContainer",
                     [](ttrpc::CallContext, std::string) -> Task<Result<std::string>> {
                       co_return fail(Code::kNotFound,
                                      "a\nlevel=error\x1b[2J" + std::string(100000, 'x'));
                     });
  auto started = run(agent_->start_container("c"));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::kNotFound);
  EXPECT_LT(started.error().message().size(), 5000u);
  EXPECT_EQ(started.error().message().find_first_of("\n\x1b"), std::string::npos);
}

TEST_F(HostileAgentTest, HangUpFailsEveryPendingCall) {
  keep_silent("WaitProcess");
  spawn(loop_.get_executor(), [](ttrpc::Server* server) -> Task<> {
    co_await sleep_for(50ms);
    server->close_all();
  }(&server_));
  auto status = run(agent_->wait_process("c", ""));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace kata::runtime
