#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/container/launcher.h"
#include "agent/stdio/input_stream.h"
#include "agent/stdio/output_stream.h"

namespace kata::agent {

// The agent's ends of one process's standard streams: three pipes, or one pty master for all. Pipes
// and not socket pairs, so that /dev/stdout can be opened again in the container.
class ProcessIo {
 public:
  // Makes the pipes and puts the process's ends into `child`. `pipe_size` is tried as F_SETPIPE_SZ
  // for output; 0 = as much as one read takes.
  static Result<ProcessIo> make_pipes(asio::any_io_executor executor, uint64_t pipe_size,
                                      Stdio* child);
  // Takes over the master of a pty.
  static Result<ProcessIo> from_console(asio::any_io_executor executor, UniqueFd master);

  bool is_terminal() const { return static_cast<bool>(console_); }
  // Null when the process has no such stream (stderr of a terminal).
  std::shared_ptr<InputStream> input() const { return in_; }
  std::shared_ptr<OutputStream> output() const { return out_; }
  std::shared_ptr<OutputStream> error_output() const { return err_; }

  // kUnavailable "no tty" without a terminal.
  Status resize(uint32_t rows, uint32_t columns);
  void process_ended();

 private:
  std::shared_ptr<InputStream> in_;
  std::shared_ptr<OutputStream> out_, err_;
  UniqueFd console_;
};

}  // namespace kata::agent
