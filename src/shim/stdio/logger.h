#pragma once

#include <memory>
#include <string>

#include "base/event.h"
#include "base/process.h"
#include "shim/stdio/fifo.h"
#include "shim/stdio/uri.h"

namespace kata::shim {

// Loggers that run now, so that the end of the shim can wait for their last lines.
class LoggerCount {
 public:
  explicit LoggerCount(asio::any_io_executor executor) : executor_(executor), idle_(executor) {}
  void add() {
    if (running_++ == 0) idle_ = Event(executor_);
  }
  void remove() {
    if (--running_ == 0) idle_.set();
  }
  int running() const { return running_; }
  // False when the time ran out first.
  Task<bool> wait_idle(Clock::duration limit) {
    if (running_ == 0) co_return true;
    co_return co_await idle_.wait_for(limit);
  }

 private:
  asio::any_io_executor executor_;
  int running_ = 0;
  Event idle_;
};

struct LoggerRequest {
  StdioUri uri;            // kBinary or kBinaryV2
  std::string process_id;  // CONTAINER_ID: container or exec id
  std::string containerd_namespace;
};

struct LoggerSinks {
  std::unique_ptr<runtime::OutputSink> out, err;
};

// Starts a logging program and waits until it says that it is ready (facts/shim-v2.md section 9):
// argv = path, then each query key with its value; the environment holds CONTAINER_ID and
// CONTAINER_NAMESPACE only; 3 = stdout, 4 = stderr, 5 = ready pipe. It ends when both sinks are
// closed: by itself at the end of its input, else by SIGTERM, else by SIGKILL. It dies with the
// shim.
Task<Result<LoggerSinks>> start_logger(LoggerRequest request, std::shared_ptr<LoggerCount> count);

}  // namespace kata::shim
