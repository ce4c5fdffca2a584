#include "base/command.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <memory>

#include "base/deadline.h"

namespace kata {

namespace {

constexpr size_t kPipeSize = 64 << 10;

// The read end of the program's output and what came out of it. Shared with the reader, which may
// be a turn behind.
struct Output {
  Output(asio::any_io_executor executor, UniqueFd read_end, size_t most)
      : pipe(executor, read_end.release()), limit(most) {}

  // Takes what is there, a pipe full at most: who writes without an end must not hold up the loop.
  // False at the end.
  bool take() {
    char buffer[4096];
    for (size_t taken = 0; taken < kPipeSize;) {
      const ssize_t n = read(pipe.native_handle(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return n < 0 && errno == EAGAIN;
      taken += static_cast<size_t>(n);
      text.append(buffer, static_cast<size_t>(n));
      if (text.size() > 2 * limit) cut();
    }
    return true;
  }
  void cut() {
    if (text.size() > limit) text.erase(0, text.size() - limit);
  }

  asio::posix::stream_descriptor pipe;
  size_t limit;
  std::string text;
};

Task<> keep_reading(std::shared_ptr<Output> output) {
  do {
    auto [error] =
        co_await output->pipe.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
    if (error) co_return;
  } while (output->take());
}

}  // namespace

Task<Result<CommandResult>> run_command(SpawnOptions options, CommandLimits limits) {
  auto executor = co_await asio::this_coro::executor;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) co_return fail_errno("pipe");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  // Only our end: the program's is a pipe like any other.
  if (fcntl(read_end.get(), F_SETFL, O_NONBLOCK) < 0) co_return fail_errno("pipe");
  options.fds.emplace_back(write_end.get(), STDOUT_FILENO);
  options.fds.emplace_back(write_end.get(), STDERR_FILENO);
  options.new_process_group = true;
  CO_TRY(Process process, Process::spawn(options));
  write_end.reset();

  auto output = std::make_shared<Output>(executor, std::move(read_end), limits.output);
  spawn(executor, keep_reading(output));
  std::optional<Deadline> deadline;
  const pid_t group = process.pid();  // not reaped before wait() is over: the number is its own
  if (limits.time) {
    deadline.emplace(executor, *limits.time, [group] {
      kill(-group, SIGKILL);
      kill(group, SIGKILL);  // it may have moved to another group
    });
  }
  CommandResult result;
  CO_TRY(result.status, co_await process.wait());
  result.timed_out = deadline && deadline->expired() && result.status.signal == SIGKILL;
  output->take();
  // Closed, not only cancelled: a reader that is a turn behind would go on.
  boost::system::error_code ignored;
  output->pipe.close(ignored);
  output->cut();
  result.output = std::move(output->text);
  co_return result;
}

}  // namespace kata
