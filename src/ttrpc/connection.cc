#include "ttrpc/connection.h"

#include <array>
#include <utility>

namespace kata::ttrpc {

void Connection::send(OutFrame frame) {
  if (closed_) return;
  queue_.push_back(std::move(frame));
  if (writing_) return;
  writing_ = true;
  spawn(executor(), write_loop(shared_from_this()));
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  queue_.clear();
  boost::system::error_code ignored;
  stream_.shutdown(Stream::shutdown_both, ignored);
  stream_.close(ignored);
}

void Connection::close_after_writes() {
  closing_ = true;
  if (!writing_) close();
}

Task<> Connection::write_loop(std::shared_ptr<Connection> self) {
  while (!self->closed_ && !self->queue_.empty()) {
    OutFrame frame = std::move(self->queue_.front());
    self->queue_.pop_front();
    const std::array parts = {asio::buffer(std::as_const(frame.head)),
                              asio::buffer(std::as_const(frame.body))};
    auto [error, n] = co_await asio::async_write(self->stream_, parts, transfer_whole, use_tuple);
    if (error) self->close();
  }
  self->writing_ = false;
  if (self->closing_) self->close();
}

}  // namespace kata::ttrpc
