#pragma once

#include <deque>
#include <memory>

#include "ttrpc/frame.h"

namespace kata::ttrpc {

// One connected stream with an ordered write queue, so that header and payload of a frame stay
// together. Lives on one event loop; shared by the reader and by whoever still has to answer.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Stream stream) : stream_(std::move(stream)) {}

  Stream& stream() { return stream_; }
  asio::any_io_executor executor() { return stream_.get_executor(); }
  bool closed() const { return closed_; }
  // Queues one frame; dropped when the connection is closed.
  void send(OutFrame frame);
  void close();
  // Ends the connection once the queued frames are out.
  void close_after_writes();

 private:
  static Task<> write_loop(std::shared_ptr<Connection> self);

  Stream stream_;
  std::deque<OutFrame> queue_;
  bool writing_ = false;
  bool closed_ = false;
  bool closing_ = false;
};

}  // namespace kata::ttrpc
