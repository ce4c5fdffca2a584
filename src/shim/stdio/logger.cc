#include "shim/stdio/logger.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/log.h"

namespace kata::shim {

namespace {

constexpr auto kReadyLimit = 60s;
// Upstream's clients signal at once and so lose lines that the logger has not read yet.
constexpr auto kGraceAfterEof = 2s;
constexpr auto kGraceAfterTerm = 12s;

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return fail_errno("pipe for a logger");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// The program and who still writes to it; the last closed sink lets it go.
class Logger {
 public:
  Logger(asio::any_io_executor executor, Process process, std::shared_ptr<LoggerCount> count)
      : executor_(executor), process_(std::move(process)), count_(std::move(count)) {
    count_->add();
  }
  ~Logger() { spawn(executor_, finish(std::move(process_), std::move(count_))); }
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

 private:
  static Task<> reap(std::shared_ptr<Process> process, Event ended) {
    auto status = co_await process->wait();
    if (!status) log::failure("cannot wait for a logger", status.error());
    ended.set();
  }
  static Task<> finish(Process running, std::shared_ptr<LoggerCount> count) {
    auto process = std::make_shared<Process>(std::move(running));
    auto executor = co_await asio::this_coro::executor;
    Event ended(executor);
    spawn(executor, reap(process, ended));
    if (!co_await ended.wait_for(kGraceAfterEof)) {
      if (auto sent = process->kill(SIGTERM); !sent) log::failure("end a logger", sent.error());
      if (!co_await ended.wait_for(kGraceAfterTerm)) {
        log::warn("a logger ignores SIGTERM, it is killed",
                  {{"pid", std::to_string(process->pid())}});
        if (auto sent = process->kill(SIGKILL); !sent) log::failure("kill a logger", sent.error());
        co_await ended.wait();
      }
    }
    count->remove();
  }

  asio::any_io_executor executor_;
  Process process_;
  std::shared_ptr<LoggerCount> count_;
};

class LoggerSink : public runtime::OutputSink {
 public:
  LoggerSink(std::unique_ptr<FifoSink> pipe, std::shared_ptr<Logger> logger)
      : pipe_(std::move(pipe)), logger_(std::move(logger)) {}
  ~LoggerSink() override { close(); }
  Task<Status> write(std::string_view data) override { return pipe_->write(data); }
  void close() override {
    pipe_->close();
    logger_.reset();
  }

 private:
  std::unique_ptr<FifoSink> pipe_;
  std::shared_ptr<Logger> logger_;
};

Result<std::unique_ptr<runtime::OutputSink>> make_sink(asio::any_io_executor executor,
                                                       UniqueFd write_end,
                                                       std::shared_ptr<Logger> logger) {
  if (fcntl(write_end.get(), F_SETFL, O_NONBLOCK) < 0) return fail_errno("pipe for a logger");
  TRY(auto pipe, FifoSink::adopt(executor, std::move(write_end)));
  return std::make_unique<LoggerSink>(std::move(pipe), std::move(logger));
}

Result<Process> launch(const LoggerRequest& request, int out, int err, int ready) {
  SpawnOptions options;
  options.argv = {request.uri.path};
  for (const auto& [key, value] : request.uri.query) {
    options.argv.push_back(key);
    options.argv.push_back(value);
  }
  options.env = {"CONTAINER_ID=" + request.process_id,
                 "CONTAINER_NAMESPACE=" + request.containerd_namespace};
  options.fds = {{out, 3}, {err, 4}, {ready, 5}};
  options.die_with_parent = true;
  return in_step("logger", Process::spawn(options));
}

// A byte, or for `binary` also the end of the pipe, means ready.
Task<Status> await_ready(UniqueFd pipe, StdioUri::Scheme scheme) {
  asio::posix::stream_descriptor reader(co_await asio::this_coro::executor, pipe.release());
  Deadline deadline(reader.get_executor(), kReadyLimit, [&reader] {
    boost::system::error_code ignored;
    reader.close(ignored);
  });
  char byte = 0;
  auto [error, n] = co_await reader.async_read_some(asio::buffer(&byte, 1), use_tuple);
  if (deadline.expired())
    co_return fail(Code::kDeadlineExceeded, "the logger did not get ready within 60 s");
  if (n > 0) co_return Status{};
  if (error == asio::error::eof && scheme == StdioUri::Scheme::kBinary) co_return Status{};
  co_return fail(Code::kInternal, "the logger ended before it was ready");
}

}  // namespace

Task<Result<LoggerSinks>> start_logger(LoggerRequest request, std::shared_ptr<LoggerCount> count) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY(Pipe out, make_pipe());
  CO_TRY(Pipe err, make_pipe());
  CO_TRY(Pipe ready, make_pipe());
  CO_TRY(Process process,
         launch(request, out.read_end.get(), err.read_end.get(), ready.write_end.get()));
  auto logger = std::make_shared<Logger>(executor, std::move(process), std::move(count));
  ready.write_end.reset();
  LoggerSinks sinks;
  CO_TRY(sinks.out, make_sink(executor, std::move(out.write_end), logger));
  CO_TRY(sinks.err, make_sink(executor, std::move(err.write_end), logger));
  CO_TRY_STATUS(co_await await_ready(std::move(ready.read_end), request.uri.scheme));
  co_return sinks;
}

}  // namespace kata::shim
