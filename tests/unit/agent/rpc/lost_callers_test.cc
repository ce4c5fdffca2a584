// Callers that give up or hang up: what they did not get stays for the next one.
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/rpc/harness.h"
#include "ttrpc/transport.h"

namespace kata::agent::test {
namespace {

using Reply = Result<std::string>;

class LostCallers : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static std::shared_ptr<ttrpc::Client> connect(Harness& harness) {
    return ttrpc::Client::create(harness.wait(ttrpc::connect_unix(harness.socket_path())).value());
  }
  template <class Request>
  static void call_and_leave(Harness& harness, const std::string& method, const Request& request) {
    auto client = connect(harness);
    std::optional<Reply> reply;
    spawn(harness.loop().get_executor(),
          Harness::store(client->call_raw(kAgentServiceName, method, request.SerializeAsString()),
                         &reply));
    harness.run_for(50ms);
    EXPECT_FALSE(reply);
    client->close();
    harness.run_for(50ms);
    EXPECT_TRUE(reply && !*reply);
  }
  template <class Request>
  static void call_and_give_up(Harness& harness, const std::string& method,
                               const Request& request) {
    auto client = connect(harness);
    ttrpc::CallOptions options;
    options.timeout = 50ms;
    auto reply = harness.wait(
        client->call_raw(kAgentServiceName, method, request.SerializeAsString(), options));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
    harness.run_for(100ms);  // the agent's own clock
    client->close();
  }
  static void let_it_write(Harness& harness) {
    grpc::WriteStreamRequest write;
    write.set_container_id("c1");
    write.set_data("\n");
    ASSERT_TRUE(harness.call<grpc::WriteStreamResponse>("WriteStdin", write));
    harness.run_for(100ms);
  }
};

TEST_F(LostCallers, OutputIsNotTakenForAReaderThatGaveUp) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "read x; echo out; echo err >&2"));
  grpc::ReadStreamRequest read;
  read.set_container_id("c1");
  read.set_len(100);
  for (const char* method : {"ReadStdout", "ReadStderr"}) {
    call_and_give_up(harness, method, read);
  }
  let_it_write(harness);
  EXPECT_EQ(harness.read_all("c1", ""), "out\n");
  EXPECT_EQ(harness.read_all("c1", "", "ReadStderr"), "err\n");
}

TEST_F(LostCallers, OutputIsNotTakenForAReaderThatHungUp) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "read x; echo out"));
  grpc::ReadStreamRequest read;
  read.set_container_id("c1");
  read.set_len(100);
  for (int i = 0; i < 3; ++i) call_and_leave(harness, "ReadStdout", read);
  let_it_write(harness);
  EXPECT_EQ(harness.read_all("c1", ""), "out\n");
}

TEST_F(LostCallers, AReaderThatStaysIsNotDisturbedByOneThatGoes) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "read x; echo out"));
  grpc::ReadStreamRequest read;
  read.set_container_id("c1");
  read.set_len(100);
  auto staying = connect(harness);
  std::optional<Reply> reply;
  spawn(harness.loop().get_executor(),
        Harness::store(staying->call_raw(kAgentServiceName, "ReadStdout", read.SerializeAsString()),
                       &reply));
  call_and_leave(harness, "ReadStdout", read);
  EXPECT_FALSE(reply);
  let_it_write(harness);
  ASSERT_TRUE(reply && *reply);
  grpc::ReadStreamResponse response;
  ASSERT_TRUE(response.ParseFromString(**reply));
  EXPECT_EQ(response.data(), "out\n");
  staying->close();
}

TEST_F(LostCallers, AnExitCodeStaysForTheNextWaiter) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  grpc::ExecProcessRequest exec;
  exec.set_container_id("c1");
  exec.set_exec_id("e1");
  for (const char* word : {"/bin/sh", "-c", "sleep 0.5; exit 5"}) {
    exec.mutable_process()->add_args(word);
  }
  exec.mutable_process()->add_env("PATH=/bin");
  exec.mutable_process()->set_cwd("/");
  ASSERT_TRUE(harness.call_empty("ExecProcess", exec));
  grpc::WaitProcessRequest wait;
  wait.set_container_id("c1");
  wait.set_exec_id("e1");
  call_and_leave(harness, "WaitProcess", wait);
  auto process = harness.agent().sandbox.find("c1").value()->process("e1").value();
  while (!process->has_exited()) harness.run_for(10ms);
  harness.run_for(50ms);
  EXPECT_EQ(harness.wait_exit("c1", "e1"), 5);
  EXPECT_EQ(harness.wait_exit("c1", "e1"), -1) << "forgotten once it has been told";
}

TEST_F(LostCallers, AnOomEventStaysForTheNextWhoAsks) {
  Harness harness;
  call_and_leave(harness, "GetOOMEvent", grpc::GetOOMEventRequest());
  call_and_give_up(harness, "GetOOMEvent", grpc::GetOOMEventRequest());
  harness.agent().sandbox.oom().push("c1");
  harness.run_for(50ms);
  auto event = harness.call<grpc::OOMEvent>("GetOOMEvent", grpc::GetOOMEventRequest());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->container_id(), "c1");
}

}  // namespace
}  // namespace kata::agent::test
