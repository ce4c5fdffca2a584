#include "agent/process/run_tool.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "agent/stdio/process_io.h"
#include "base/file.h"
#include "base/process.h"

namespace kata::agent {
namespace {

constexpr size_t kMaxOutput = 4 << 20;

Task<> collect(std::shared_ptr<OutputStream> stream, std::shared_ptr<std::string> text,
               Event done) {
  while (true) {
    auto part = co_await stream->read(65536);
    if (!part || part->empty()) break;
    if (text->size() < kMaxOutput) *text += *part;
  }
  done.set();
}

Task<> feed(std::shared_ptr<InputStream> stream, std::string input) {
  // A tool that stops reading shows that by its exit code.
  if (!input.empty()) (void)co_await stream->write(std::move(input));
  co_await stream->close();
}

Task<> kill_late(std::shared_ptr<Process> process, Event ended, Clock::duration limit,
                 std::shared_ptr<bool> killed) {
  bool in_time = co_await ended.wait_for(limit);
  if (in_time) co_return;
  *killed = true;
  (void)process->kill(SIGKILL);
}

}  // namespace

Task<Result<ToolOutput>> run_tool(std::vector<std::string> argv, std::string input,
                                  Clock::duration limit) {
  auto executor = co_await asio::this_coro::executor;
  Stdio child;
  CO_TRY(ProcessIo io, ProcessIo::make_pipes(executor, 0, &child));
  SpawnOptions options;
  options.argv = argv;
  options.fds = {{child.in.get(), 0}, {child.out.get(), 1}, {child.err.get(), 2}};
  CO_TRY(Process spawned, Process::spawn(options));
  auto process = std::make_shared<Process>(std::move(spawned));
  child = Stdio();

  auto out = std::make_shared<std::string>(), err = std::make_shared<std::string>();
  Event out_done(executor), err_done(executor), ended(executor);
  auto killed = std::make_shared<bool>(false);
  spawn(executor, collect(io.output(), out, out_done));
  spawn(executor, collect(io.error_output(), err, err_done));
  spawn(executor, feed(io.input(), std::move(input)));
  spawn(executor, kill_late(process, ended, limit, killed));
  auto status = co_await process->wait();
  ended.set();
  io.process_ended();
  co_await out_done.wait();
  co_await err_done.wait();
  if (!status) co_return std::unexpected(std::move(status.error()));
  if (*killed) co_return fail(Code::kDeadlineExceeded, argv[0] + " took too long and was killed");
  co_return ToolOutput{status->code, std::move(*out), std::move(*err)};
}

Result<std::string> find_tool(const std::vector<std::string>& paths) {
  std::string tried;
  for (const auto& path : paths) {
    if (access(path.c_str(), X_OK) == 0) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return fail(Code::kNotFound, "the guest image has none of " + tried);
}

}  // namespace kata::agent
