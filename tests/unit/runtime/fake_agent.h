#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>

#include "runtime/agent_client.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"

namespace kata::runtime {

// An agent that answers what the test tells it to, and an AgentClient connected to it, on one loop.
class FakeAgentTest : public ::testing::Test {
 protected:
  FakeAgentTest() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    auto executor = loop_.get_executor();
    spawn(executor, server_.serve(std::move(*ttrpc::adopt_stream(executor, UniqueFd(fds[0])))));
    connect(UniqueFd(fds[1]));
  }

  // A client whose agent is whoever holds the other end.
  void connect(UniqueFd fd) {
    AgentClient::Deadlines deadlines;
    deadlines.request = deadlines.create_container = deadlines.check = 300ms;
    agent_ = std::make_unique<AgentClient>(
        ttrpc::Client::create(std::move(*ttrpc::adopt_stream(loop_.get_executor(), std::move(fd)))),
        deadlines);
  }

  // The agent's answer to a method: these bytes, whatever was asked.
  void answer(const std::string& method, std::string bytes,
              const std::string& service = "grpc.AgentService") {
    server_.handle_raw(service, method,
                       [bytes](ttrpc::CallContext, std::string) { return reply(bytes); });
  }
  void fail_with(const std::string& method, Error error) {
    server_.handle_raw("grpc.AgentService", method,
                       [error](ttrpc::CallContext, std::string) { return refuse(error); });
  }
  // No answer at all.
  void keep_silent(const std::string& method) {
    server_.handle_raw("grpc.AgentService", method,
                       [](ttrpc::CallContext, std::string) { return never(); });
  }

  // Runs a call to its end and returns its result.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(loop_, store(std::move(task), &result), [this](std::exception_ptr failure) {
      EXPECT_FALSE(failure);
      loop_.stop();
    });
    loop_.restart();
    loop_.run_for(std::chrono::seconds(10));
    return result ? std::move(*result) : T(fail(Code::kInternal, "the call did not end"));
  }

  asio::io_context loop_{1};
  ttrpc::Server server_;
  std::unique_ptr<AgentClient> agent_;

  static Task<Result<std::string>> reply(std::string bytes) { co_return bytes; }
  static Task<Result<std::string>> refuse(Error error) { co_return std::unexpected(error); }

 private:
  static Task<Result<std::string>> never() {
    co_await sleep_for(60s);
    co_return std::string();
  }
  template <class T>
  static Task<> store(Task<T> task, std::optional<T>* out) {
    out->emplace(co_await std::move(task));
  }
};

}  // namespace kata::runtime
