#include "agent/console/debug_console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "agent/process/run_tool.h"
#include "agent/stdio/process_io.h"
#include "base/console_mark.h"
#include "base/event.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "ttrpc/transport.h"

namespace kata::agent {
namespace {

struct Pty {
  UniqueFd master, slave;
};

Result<Pty> open_pty() {
  Pty pty;
  TRY(pty.master, open_file("/dev/ptmx", O_RDWR | O_NOCTTY));
  if (unlockpt(pty.master.get()) < 0) return fail_errno("unlock pty");
  pty.slave.reset(ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave) return fail_errno("open pty");
  return pty;
}

Result<Process> start_shell(int terminal) {
  TRY(std::string shell, find_shell());
  SpawnOptions options;
  options.argv = {shell, "-i"};
  options.env = {{"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "TERM=linux"}};
  options.fds = {{terminal, 0}, {terminal, 1}, {terminal, 2}};
  options.cwd = "/";
  options.own_terminal = true;
  return Process::spawn(options);
}

// What the two directions and the waiter of one connection share.
struct Session {
  Session(const asio::any_io_executor& executor, ttrpc::Stream connection, ProcessIo streams,
          Process process)
      : stream(std::move(connection)),
        io(std::move(streams)),
        shell(std::move(process)),
        exit_code(executor) {}
  ttrpc::Stream stream;
  ProcessIo io;
  Process shell;
  Promise<int> exit_code;
};

// "size=24x80"; anything else is ignored.
void obey(Session& session, std::string_view mark) {
  unsigned rows = 0, columns = 0;
  const std::string word(mark);
  if (sscanf(word.c_str(), "size=%4ux%4u", &rows, &columns) == 2 && rows && columns) {
    (void)session.io.resize(rows, columns);
  }
}

// Host to shell; the shell goes when the connection does.
Task<> pump_in(std::shared_ptr<Session> session) {
  std::string buffer(4096, '\0');
  MarkScanner scanner(2);
  while (true) {
    auto [error, n] = co_await session->stream.async_read_some(asio::buffer(buffer), use_tuple);
    if (error || n == 0) break;
    std::string keys;
    scanner.feed(
        std::string_view(buffer).substr(0, n), [&](std::string_view text) { keys += text; },
        [&](std::string_view mark) { obey(*session, mark); });
    auto written = co_await session->io.input()->write(std::move(keys));
    if (!written) break;
  }
  (void)session->shell.kill(SIGHUP);
  (void)session->shell.kill(SIGKILL);
}

Task<> pump_out(std::shared_ptr<Session> session) {
  std::string data = console_mark("hello");
  while (true) {
    auto [error, n] = co_await asio::async_write(session->stream, asio::buffer(data), use_tuple);
    if (error) break;
    auto more = co_await session->io.output()->read(4096);
    if (!more || more->empty()) break;
    data = std::move(*more);
  }
  // The terminal may be closed a moment before the shell has ended.
  const int code = co_await session->exit_code.wait();
  data = console_mark("exit=" + std::to_string(code));
  co_await asio::async_write(session->stream, asio::buffer(data), use_tuple);
  boost::system::error_code ignored;
  session->stream.shutdown(ttrpc::Stream::shutdown_both, ignored);
}

// The client has closed both directions. A half-closed connection may still bring input.
bool client_is_gone(ttrpc::Stream& stream) {
  // Nothing is sent; the kernel looks whether it could be.
  return send(stream.native_handle(), "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE;
}

// pump_in sees no hang-up while it waits for a shell that does not read.
Task<> watch_client(std::shared_ptr<Session> session) {
  while (true) {
    co_await sleep_for(1s);
    if (session->exit_code.ready()) co_return;
    if (client_is_gone(session->stream)) (void)session->shell.kill(SIGKILL);
  }
}

Task<Result<std::shared_ptr<Session>>> start_session(ttrpc::Stream& connection) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY(Pty pty, open_pty());
  CO_TRY(ProcessIo io, ProcessIo::from_console(executor, std::move(pty.master)));
  CO_TRY(Process shell, start_shell(pty.slave.get()));
  co_return std::make_shared<Session>(executor, std::move(connection), std::move(io),
                                      std::move(shell));
}

Task<> serve_connection(ttrpc::Stream connection) {
  auto executor = co_await asio::this_coro::executor;
  auto started = co_await start_session(connection);
  if (!started) {
    log::failure("debug console", started.error());
    constexpr int kNotFound = 127;  // as a shell says it
    std::string text = "kata-agent: no debug shell: " + started.error().message() + "\r\n" +
                       console_mark("exit=" + std::to_string(kNotFound));
    co_await asio::async_write(connection, asio::buffer(text), use_tuple);
    co_return;
  }
  auto session = *started;
  spawn(executor, pump_in(session));
  spawn(executor, pump_out(session));
  spawn(executor, watch_client(session));
  auto ended = co_await session->shell.wait();
  session->exit_code.set(ended ? ended->code : 255);
  session->io.process_ended();
}

Task<> serve_on_console() {
  while (true) {
    auto console = open_file("/dev/console", O_RDWR | O_NOCTTY);
    if (!console) {
      log::failure("debug console", console.error());
      co_return;
    }
    auto shell = start_shell(console->get());
    if (!shell) {
      log::failure("debug console", shell.error());
      co_return;
    }
    auto ended = co_await shell->wait();
    // A shell that ends at once must not become a busy loop.
    co_await sleep_for(1s);
    if (!ended) co_return;
  }
}

}  // namespace

Result<std::string> find_shell() {
  return find_tool({"/run/kata-extensions/devkit/bin/devkit-sh", "/bin/bash", "/bin/sh"});
}

Task<> serve_debug_console(uint32_t port) {
  if (port == 0) {
    co_await serve_on_console();
    co_return;
  }
  auto served = co_await ttrpc::serve_vsock(port, &serve_connection);
  if (!served) log::failure("debug console port", served.error());
}

}  // namespace kata::agent
