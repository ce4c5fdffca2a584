#pragma once

#include <memory>
#include <string>

#include "agent/process/async_mutex.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Write end of a process's stdin (pipe), or a duplicate of its pty's master. A write comes back
// when the kernel has taken every byte: a process that does not read holds the host back. Writes
// happen in the order of the calls. Event-loop thread only.
class InputStream : public std::enable_shared_from_this<InputStream> {
 public:
  // `fd` becomes non-blocking.
  static Result<std::shared_ptr<InputStream>> create(asio::any_io_executor executor, UniqueFd fd);

  // kFailedPrecondition once closed; EPIPE when nobody reads any more.
  Task<Status> write(std::string data);
  // End of input after the writes before it; a second close does nothing.
  Task<> close();

  // The process ended: waiting writers give up.
  void process_ended();

 private:
  explicit InputStream(asio::posix::stream_descriptor descriptor)
      : descriptor_(std::move(descriptor)) {}

  asio::posix::stream_descriptor descriptor_;
  AsyncMutex order_;
  bool process_ended_ = false;
};

}  // namespace kata::agent
