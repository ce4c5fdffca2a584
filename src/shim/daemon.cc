#include "shim/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "shim/address.h"
#include "shim/free_sandbox.h"
#include "shim/log/log_sink.h"
#include "shim/orphans.h"
#include "shim/sandbox/service.h"
#include "shim/socket.h"
#include "shim/task/service.h"
#include "storage/host_mounts.h"
#include "ttrpc/transport.h"
#include "version.h"

namespace kata::shim {

namespace {

constexpr int kListenerFd = 3;
constexpr auto kFlushLimit = 5s;
// A VMM in uninterruptible sleep must not keep the events back; its journal stays for the next one.
constexpr auto kStopLimit = 10s;
// For containerd to close its connections after ShutdownSandbox, which it does at once.
constexpr auto kLeaveLimit = 3s;
// For the last replies to be written.
constexpr auto kReplyLimit = 1s;
// containerd dials within milliseconds of `start` and gives up after 100 s.
constexpr auto kFirstContactLimit = 150s;

std::string events_address() {
  const char* address = getenv("TTRPC_ADDRESS");
  return address ? address : "";
}

// What the process serves with; lives in run_daemon().
class Daemon {
 public:
  Daemon(const Options& options, ttrpc::Listener listener, std::string socket_file,
         asio::io_context& loop)
      : options_(options),
        loop_(loop),
        listener_(std::move(listener)),
        socket_file_(std::move(socket_file)),
        shutdown_(loop.get_executor()),
        publisher_(loop.get_executor(), events_address(), options.containerd_namespace),
        stdio_(loop.get_executor(), options.containerd_namespace),
        slot_(loop.get_executor()),
        tasks_(loop.get_executor(), slot_, publisher_, stdio_, shutdown_, options.is_of_crio()),
        sandboxes_(loop.get_executor(), options.id, options.config_path, slot_, tasks_, shutdown_) {
    tasks_.register_on(server_);
    sandboxes_.register_on(server_);
  }

  void run() {
    auto executor = loop_.get_executor();
    spawn(executor, accept_connections());
    spawn(executor, await_signal());
    spawn(executor, reap_orphans());
    spawn(executor, end_when_unused());
    spawn(executor, end_after_shutdown());
    loop_.run();
  }

 private:
  Task<> accept_connections() {
    while (!shutdown_.is_set()) {
      auto stream = co_await listener_.accept();
      if (shutdown_.is_set()) break;
      if (!stream) {
        log::failure("cannot accept a connection", stream.error());
        co_await sleep_for(100ms);  // out of descriptors, for instance
        continue;
      }
      // Root in another namespace may reach the file (CVE-2020-15257 was the abstract variant).
      auto uid = ttrpc::peer_uid(*stream);
      if (!uid || *uid != geteuid()) {
        log::warn("connection of another user refused");
        continue;
      }
      was_contacted_ = true;
      spawn(loop_.get_executor(), server_.serve(std::move(*stream)));
    }
  }

  Task<> await_signal() {
    // The last two would end the shim where others dump their stacks or ignore them. Ignoring them
    // here would be inherited by every program we start.
    asio::signal_set signals(loop_, SIGTERM, SIGINT, SIGUSR1);
    signals.add(SIGHUP);
    while (true) {
      auto [error, number] = co_await signals.async_wait(use_tuple);
      if (error) co_return;
      log::info("signal", {{"signal", std::to_string(number)}});
      if (number == SIGTERM || number == SIGINT) break;
    }
    shutdown_.set();
  }

  // Whoever started us may have been killed before it could tell anybody our address.
  Task<> end_when_unused() {
    co_await sleep_for(kFirstContactLimit);
    if (was_contacted_) co_return;
    log::warn("nobody ever connected");
    shutdown_.set();
  }

  Task<> end_after_shutdown() {
    co_await shutdown_.wait();
    // First of all the address is freed: the next shim of this id may be on its way.
    // Removed before it is closed: closed first, it could be the next shim's by then.
    if (auto removed = remove_file(socket_file_); !removed) {
      log::failure("the socket stays", removed.error());
    }
    listener_.close();
    [[maybe_unused]] const bool stopped = co_await slot_.stop(kStopLimit);
    if (tasks_.is_creating() || slot_.is_making()) {
      auto freed = free_sandbox(options_.id, std::filesystem::current_path().string());
      if (!freed) log::failure("an unfinished sandbox stays", freed.error());
    }
    // A Go client takes a close right behind the answer for a failure of the call, by chance, and
    // containerd does not forgive it here as it does for Task.Shutdown.
    if (sandboxes_.is_shut_down()) co_await clients_left(kLeaveLimit);
    server_.close_all();
    const auto deadline = Clock::now() + kFlushLimit;
    if (!co_await publisher_.flush(kFlushLimit)) {
      log::warn("events are lost", {{"count", std::to_string(publisher_.queued())}});
    }
    if (!co_await stdio_.loggers().wait_idle(deadline - Clock::now())) {
      log::warn("loggers are cut off");
    }
    co_await clients_left(kReplyLimit);
    log::info("shim ends");
    loop_.stop();
  }

  Task<> clients_left(Clock::duration limit) {
    const auto end = Clock::now() + limit;
    while (server_.connection_count() > 0 && Clock::now() < end) co_await sleep_for(5ms);
  }

  const Options& options_;
  asio::io_context& loop_;
  ttrpc::Listener listener_;
  std::string socket_file_;
  Event shutdown_;
  Publisher publisher_;
  StdioOpener stdio_;
  SandboxSlot slot_;
  TaskService tasks_;
  SandboxService sandboxes_;
  ttrpc::Server server_;
  bool was_contacted_ = false;
};

Result<UniqueFd> listening_socket(const Options& options) {
  if (!options.socket.empty()) {
    TRY(std::string path, socket_path(options.socket));
    TRY(UniqueFd fd, bind_socket(path));
    if (!fd) return fail(Code::kAlreadyExists, "another shim listens on " + path);
    return fd;
  }
  if (fcntl(kListenerFd, F_SETFD, FD_CLOEXEC) < 0) return fail_errno("no listening socket on fd 3");
  return UniqueFd(kListenerFd);
}

Result<std::string> own_socket_file(const Options& options) {
  if (!options.socket.empty()) return socket_path(options.socket);
  return socket_path(socket_address(options.address, options.containerd_namespace, options.id));
}

}  // namespace

Status run_daemon(const Options& options) {
  TRY(UniqueFd socket, listening_socket(options));
  TRY(std::string socket_file, own_socket_file(options));
  TRY_STATUS(redirect_stderr_to_log_fifo());
  set_up_log(options.id, options.debug);
  TRY_STATUS(storage::leave_host_mounts());
  signal(SIGPIPE, SIG_IGN);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return fail_errno("become a subreaper");
  asio::io_context loop(1);
  TRY(auto listener, ttrpc::Listener::adopt(loop.get_executor(), std::move(socket)));
  log::info("shim serves", {{"version", kVersion}});
  Daemon daemon(options, std::move(listener), std::move(socket_file), loop);
  daemon.run();
  // All is freed and said. The coroutines that wait for ever hold each other; taking them apart in
  // the right order would be work for nothing.
  _exit(0);
}

}  // namespace kata::shim
