#include "agent/stdio/process_io.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace kata::agent {
namespace {

// Holds what one read takes at most (OutputStream): the process goes on writing while the host
// fetches. The kernel's own size (64 KiB) makes four times as many round trips, each of which costs
// as much as copying a quarter of a MiB. Only what is in it takes memory.
constexpr uint64_t kPipeSize = 256 << 10;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe(uint64_t size) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return fail_errno("pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // A size that the kernel does not grant leaves the default: slower, never wrong.
  if (size > 0) fcntl(pipe.read.get(), F_SETPIPE_SZ, static_cast<int>(size));
  return pipe;
}

Result<UniqueFd> duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("duplicate terminal");
  return copy;
}

}  // namespace

Result<ProcessIo> ProcessIo::make_pipes(asio::any_io_executor executor, uint64_t pipe_size,
                                        Stdio* child) {
  if (pipe_size == 0) pipe_size = kPipeSize;
  TRY(Pipe in, make_pipe(0));
  TRY(Pipe out, make_pipe(pipe_size));
  TRY(Pipe err, make_pipe(pipe_size));
  ProcessIo io;
  TRY(io.in_, InputStream::create(executor, std::move(in.write)));
  TRY(io.out_, OutputStream::create(executor, std::move(out.read), false));
  TRY(io.err_, OutputStream::create(executor, std::move(err.read), false));
  child->in = std::move(in.read);
  child->out = std::move(out.write);
  child->err = std::move(err.write);
  return io;
}

Result<ProcessIo> ProcessIo::from_console(asio::any_io_executor executor, UniqueFd master) {
  ProcessIo io;
  TRY(UniqueFd in, duplicate(master.get()));
  TRY(UniqueFd out, duplicate(master.get()));
  TRY(io.in_, InputStream::create(executor, std::move(in)));
  TRY(io.out_, OutputStream::create(executor, std::move(out), true));
  io.console_ = std::move(master);
  return io;
}

Status ProcessIo::resize(uint32_t rows, uint32_t columns) {
  if (!console_) return fail(Code::kUnavailable, "no tty");
  winsize size{};
  size.ws_row = static_cast<unsigned short>(std::min<uint32_t>(rows, UINT16_MAX));
  size.ws_col = static_cast<unsigned short>(std::min<uint32_t>(columns, UINT16_MAX));
  if (ioctl(console_.get(), TIOCSWINSZ, &size) < 0) return fail_errno("resize terminal");
  return {};
}

void ProcessIo::process_ended() {
  if (in_) in_->process_ended();
  if (out_) out_->process_ended();
  if (err_) err_->process_ended();
}

}  // namespace kata::agent
