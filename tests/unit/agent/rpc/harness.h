#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/rpc/agent.h"
#include "agent/rpc/services.h"
#include "ttrpc/client.h"

namespace kata::agent::test {

// A whole agent on a unix socket in this process, as an ordinary process would run it, and a client
// of it. Everything happens on one loop that turns only while a call waits.
class Harness {
 public:
  Harness();
  ~Harness();
  Harness(const Harness&) = delete;

  Agent& agent() { return *agent_; }
  asio::io_context& loop() { return loop_; }
  const std::string& folder() const { return folder_; }
  const std::string& socket_path() const { return socket_path_; }

  // One call, answered while others may be pending.
  template <class Response, class Request>
  Result<Response> call(const std::string& method, const Request& request,
                        const std::string& service = kAgentServiceName) {
    return wait(client_->call<Response>(service, method, request));
  }
  Status call_empty(const std::string& method, const google::protobuf::MessageLite& request) {
    auto reply = wait(client_->call_raw(kAgentServiceName, method, request.SerializeAsString()));
    if (!reply) return std::unexpected(std::move(reply.error()));
    return {};
  }

  // Turns the loop until the coroutine is done.
  template <class T>
  T wait(Task<T> task) {
    std::optional<T> result;
    spawn(loop_.get_executor(), store(std::move(task), &result));
    loop_.restart();
    while (!result && loop_.run_one() > 0) {
    }
    return std::move(*result);
  }
  template <class T>
  static Task<> store(Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }
  // Turns the loop for a while.
  void run_for(Clock::duration time) {
    loop_.restart();
    loop_.run_for(time);
  }

  // Request for a busybox container that runs `sh -c script`, with every namespace of its own.
  grpc::CreateContainerRequest shell(const std::string& id, const std::string& script);
  // Create plus start.
  Status run_shell(const std::string& id, const std::string& script);
  // Everything a stream gives until its end.
  std::string read_all(const std::string& id, const std::string& exec_id,
                       const std::string& method = "ReadStdout");
  int wait_exit(const std::string& id, const std::string& exec_id = {});
  Status remove(const std::string& id);

 private:
  std::string folder_, socket_path_;
  asio::io_context loop_{1};
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<ttrpc::Server> server_;
  std::shared_ptr<ttrpc::Client> client_;
};

}  // namespace kata::agent::test
