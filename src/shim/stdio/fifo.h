#pragma once

#include "base/unique_fd.h"
#include "runtime/io.h"

namespace kata::shim {

// Writes into a fifo or pipe. Opened read and write, it is its own reader: the death of the client
// raises no EPIPE and a later client can attach; the price is that a full fifo waits for a reader
// (facts/shim-v2.md section 9). close() may come at any time and fails a pending write.
class FifoSink : public runtime::OutputSink {
 public:
  // `fd` must be non-blocking.
  static Result<std::unique_ptr<FifoSink>> adopt(asio::any_io_executor executor, UniqueFd fd);
  // kInvalidArgument when the file is no fifo.
  static Result<std::unique_ptr<FifoSink>> open(asio::any_io_executor executor,
                                                const std::string& path);
  Task<Status> write(std::string_view data) override;
  void close() override;

 protected:
  explicit FifoSink(asio::posix::stream_descriptor pipe) : pipe_(std::move(pipe)) {}

 private:
  asio::posix::stream_descriptor pipe_;
};

// Reads a fifo. Holds a write end of its own, so that the stream ends with close_writer() (CloseIO)
// alone: a client that detaches, or has not come yet, ends nothing.
class FifoSource : public runtime::InputSource {
 public:
  static Result<std::unique_ptr<FifoSource>> open(asio::any_io_executor executor,
                                                  const std::string& path);
  Task<Result<std::string>> read(size_t max) override;
  // What lies in the fifo now is still read, whether or not the client keeps its end open.
  void close_writer() override;
  void close() override;

 private:
  FifoSource(asio::posix::stream_descriptor pipe, UniqueFd writer)
      : pipe_(std::move(pipe)), writer_(std::move(writer)) {}

  asio::posix::stream_descriptor pipe_;
  UniqueFd writer_;
};

}  // namespace kata::shim
