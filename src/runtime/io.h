#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/task.h"

// Where the standard streams of a process lead on the host. The doors (shim, command line)
// implement these; the engine copies between them and the guest. Back-pressure is in the awaiting:
// at most one chunk per stream is in memory.
namespace kata::runtime {

// Takes what the process wrote. Used by one coroutine at a time.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  // Comes back when all bytes were taken. After a failure the engine discards the rest of the
  // stream.
  virtual Task<Status> write(std::string_view data) = 0;
  // End of stream; clients wait for it, so it must not be late.
  virtual void close() = 0;
};

// Gives what the process reads. Used by one coroutine at a time.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // The next bytes (at most max); empty = end of stream, now or after close_writer().
  virtual Task<Result<std::string>> read(size_t max) = 0;
  // CloseIO: what was written so far is still read, then the stream ends.
  virtual void close_writer() = 0;
  // Ends a pending read: the process is gone.
  virtual void close() = 0;
};

// An absent stream is null: no input, output thrown away.
struct ProcessIo {
  std::unique_ptr<InputSource> in;
  std::unique_ptr<OutputSink> out;
  std::unique_ptr<OutputSink> err;  // absent with a terminal
};

}  // namespace kata::runtime
