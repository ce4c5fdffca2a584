#pragma once

#include <memory>
#include <string>

#include "runtime/io.h"
#include "shim/stdio/logger.h"

namespace kata::shim {

// The stdio values of a Create or Exec request, as State echoes them.
struct StdioPaths {
  std::string in, out, err;
  bool terminal = false;
};

// Opens the host ends of standard streams. One per daemon, one event loop.
class StdioOpener {
 public:
  StdioOpener(asio::any_io_executor executor, std::string containerd_namespace)
      : executor_(executor),
        containerd_namespace_(std::move(containerd_namespace)),
        loggers_(std::make_shared<LoggerCount>(executor)) {}

  // `process_id`: container id for init, exec id for execs. The scheme of stdout decides for stderr
  // too (facts/shim-v2.md section 9). Nothing stays open on failure.
  Task<Result<runtime::ProcessIo>> open(StdioPaths paths, std::string process_id);

  LoggerCount& loggers() { return *loggers_; }

 private:
  Result<std::unique_ptr<runtime::OutputSink>> open_output(const std::string& value) const;
  Result<std::unique_ptr<runtime::InputSource>> open_input(const StdioPaths& paths) const;

  asio::any_io_executor executor_;
  std::string containerd_namespace_;
  std::shared_ptr<LoggerCount> loggers_;
};

}  // namespace kata::shim
