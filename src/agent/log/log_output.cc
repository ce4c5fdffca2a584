#include "agent/log/log_output.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "base/log.h"
#include "base/process.h"
#include "ttrpc/transport.h"
#include "version.h"

namespace kata::agent {
namespace {

// Read by the sink, changed by the event loop; plain integers because the sink may run at any time.
std::atomic<int> g_fd = STDOUT_FILENO;
// Where lines go while nobody reads the log port.
std::atomic<int> g_console = STDOUT_FILENO;
std::atomic<uint64_t> g_dropped = 0;

void write_line(log::Level level, std::string_view message, const log::Fields& fields) {
  std::string line = log::format_json(level, message, fields);
  int fd = g_fd;
  ssize_t n = fd == g_console ? write(fd, line.data(), line.size())
                              : send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n != static_cast<ssize_t>(line.size())) ++g_dropped;
}

}  // namespace

void log_to_fd(int fd) {
  if (getpid() == 1) {
    // A description of our own that never blocks: a container with CAP_MKNOD can stop the output of
    // the guest's console, and must not stop the agent with it.
    int own = open("/dev/console", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) fd = own;
  }
  g_console = fd;
  g_fd = fd;
  log::set_common_field("version", kCompatVersion);
  log::set_common_field("subsystem", "agent");
  log::set_common_field("pid", std::to_string(getpid()));
  log::set_common_field("name", "kata-agent");
  log::set_common_field("source", "agent");
  log::set_sink(&write_line);
}

Task<> serve_log_port(uint32_t port) {
  auto executor = co_await asio::this_coro::executor;
  auto fd = ttrpc::listen_vsock(port, 1);
  if (!fd) {
    log::failure("log port", fd.error());
    co_return;
  }
  auto listener = ttrpc::Listener::adopt(executor, std::move(*fd));
  if (!listener) {
    log::failure("log port", listener.error());
    co_return;
  }
  while (true) {
    auto reader = co_await listener->accept();
    if (!reader) co_return;
    g_fd = reader->native_handle();
    if (uint64_t lost = g_dropped.exchange(0)) {
      log::warn("log lines were lost", {{"count", std::to_string(lost)}});
    }
    // The reader sends nothing: readable means that it hung up.
    (void)co_await wait_readable(reader->native_handle());
    g_fd = g_console.load();
  }
}

}  // namespace kata::agent
