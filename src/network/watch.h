#pragma once

#include <memory>

#include "base/task.h"

namespace kata::network {

// Tells when links, addresses or routes of a network namespace change, without polling. One event
// loop; one waiter at a time. Holds no descriptor of the namespace itself, but keeps it alive.
class Watch {
 public:
  // Blocks.
  static Result<std::unique_ptr<Watch>> create(asio::any_io_executor executor, int netns_fd);

  // Suspends until something changed since the last call; kCanceled after close().
  Task<Status> changed();
  // Whether anything changed since the last begin_look().
  bool pending();
  // The namespace is about to be looked at: what changed up to now will be seen.
  void begin_look();
  void close();

 private:
  Watch(asio::any_io_executor executor, int socket) : socket_(executor, socket) {}
  void drain();

  bool changed_ = false;

  asio::posix::stream_descriptor socket_;
};

}  // namespace kata::network
