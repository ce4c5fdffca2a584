#pragma once

#include <memory>
#include <string>

#include "base/task.h"
#include "base/unique_fd.h"
#include "ttrpc/server.h"

namespace kata::agent {

// Read end of a process's stdout or stderr (pipe), or the master of its pty. Nothing is buffered
// here: what the host has not read stays in the kernel's pipe and holds the writer back.
// Event-loop thread only; reads may outlive the process record (they hold a reference).
class OutputStream : public std::enable_shared_from_this<OutputStream> {
 public:
  // `fd` becomes non-blocking.
  static Result<std::shared_ptr<OutputStream>> create(asio::any_io_executor executor, UniqueFd fd,
                                                      bool is_terminal);

  // Suspends until there is something; at most `limit` bytes. An empty string is the end: every
  // writer closed, or the process ended and what it wrote has been read, even when a background
  // child still holds the other end. With a caller: kCanceled, and nothing taken, once it is gone;
  // it must wake() the stream when it goes. `room` zero bytes stand before what was read:
  // a message is then made around it without a copy.
  Task<Result<std::string>> read(size_t limit,
                                 std::shared_ptr<const ttrpc::Caller> caller = nullptr,
                                 size_t room = 0);
  // Waiting readers look again.
  void wake();

  // The process ended: readers drain what is there and then see the end.
  void process_ended();

 private:
  OutputStream(asio::posix::stream_descriptor descriptor, bool is_terminal)
      : descriptor_(std::move(descriptor)), is_terminal_(is_terminal) {}

  Task<bool> wait_for_data();

  asio::posix::stream_descriptor descriptor_;
  const bool is_terminal_;
  bool process_ended_ = false;
};

}  // namespace kata::agent
