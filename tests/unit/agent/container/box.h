#pragma once

#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/container/launcher.h"
#include "base/error.h"
#include "base/process.h"

namespace kata::agent::test {

// How a program in a container ended and what it wrote.
struct Outcome {
  std::string out;
  std::string err;
  int code = -1;
  Status created;  // failure of create_init()
  Status started;  // failure of start()
};

// A throw-away container: a busybox root in a temporary folder and a spec like containerd's. Needs
// root; requires_root() skips the test otherwise. Namespaces are all private, so that the host
// stays as it is. One container at a time.
class Box {
 public:
  Box();
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  grpc::Spec spec;
  Cgroup* cgroup = nullptr;
  std::vector<NamespaceFd> join;

  const std::string& rootfs() const { return rootfs_; }
  // Runs `sh -c script` (or `args`) to its end.
  Outcome run(const std::string& script);
  Outcome run_args(std::vector<std::string> args);

  // Leaves a container running `sleep`, for exec().
  void start_sleeper();
  Outcome exec(grpc::Process process);
  Outcome exec(const std::string& script);
  InitProcess& init() { return *init_; }
  // A process as exec() wants it.
  static grpc::Process shell(const std::string& script);

 private:
  std::string folder_;
  std::string rootfs_;
  std::unique_ptr<InitProcess> init_;
};

// Runs a coroutine to its end on a loop of its own.
template <class T>
T wait_for_task(Task<T> task) {
  asio::io_context loop(1);
  std::optional<T> result;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr failure, T value) {
    if (failure) std::rethrow_exception(failure);
    result.emplace(std::move(value));
  });
  loop.run();
  return std::move(*result);
}

bool has_root();

}  // namespace kata::agent::test

#define REQUIRE_ROOT() \
  if (!kata::agent::test::has_root()) GTEST_SKIP() << "needs root"
