#include "storage/virtiofsd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "base/file.h"
#include "base/log.h"
#include "storage/virtiofsd_probe.h"

namespace kata::storage {

namespace {

constexpr int kSocketFd = 3;
// What the daemon says is bounded in each line and in what is kept for the reason of its end.
constexpr size_t kMaxLine = 1024;
constexpr size_t kMaxTail = 2048;

Result<UniqueFd> listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalidArgument, "socket path is too long: " + path);
  }
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // The mode of the socket is that of the file to be.
  if (!fd || fchmod(fd.get(), 0600) < 0 ||
      bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      listen(fd.get(), 1) < 0) {
    return fail_errno("listen on " + path);
  }
  return fd;
}

}  // namespace

struct Virtiofsd::State {
  State(asio::any_io_executor executor, Process started, UniqueFd log_pipe)
      : process(std::move(started)),
        log(executor, log_pipe.release()),
        exited(executor),
        gone(executor) {}

  void kill_group() const {
    // The number stays ours until the process is reaped.
    if (!reaped) ::kill(-process.pid(), SIGKILL);
  }
  void take_output(std::string_view text);

  Process process;
  asio::posix::stream_descriptor log;
  Promise<std::string> exited;
  Event gone;  // everything of it is reaped
  bool reaped = false;
  bool stopping = false;
  std::string line;
  std::string tail;
  std::string socket_path;
  journal::Entry process_entry;
  Journal* journal = nullptr;
};

void Virtiofsd::State::take_output(std::string_view text) {
  for (char c : text) {
    if (c != '\n' && line.size() < kMaxLine) line += c;
    if (c != '\n' || line.empty()) continue;
    log::debug(line, {{"subsystem", "virtiofsd"}});
    tail += line + "\n";
    if (tail.size() > kMaxTail) tail.erase(0, tail.size() - kMaxTail);
    line.clear();
  }
}

Task<> Virtiofsd::read_log(std::shared_ptr<State> state) {
  char buffer[4096];
  for (;;) {
    auto [error, n] = co_await state->log.async_read_some(asio::buffer(buffer), use_tuple);
    if (error) co_return;
    state->take_output({buffer, n});
  }
}

Task<> Virtiofsd::watch(std::shared_ptr<State> state) {
  auto ended = co_await wait_readable(state->process.pidfd());
  // The daemon's work is done by a child in a pid namespace; it must not outlive the parent.
  const pid_t group = state->process.pid();
  state->kill_group();
  auto status = state->process.wait_blocking();
  state->reaped = true;
  // The reader may not have run yet; the pipe is in non-blocking mode.
  char buffer[4096];
  for (int i = 0; i < 16; ++i) {
    ssize_t n = read(state->log.native_handle(), buffer, sizeof buffer);
    if (n <= 0) break;
    state->take_output({buffer, static_cast<size_t>(n)});
  }
  std::string reason = status ? status->describe() : status.error().message();
  if (!ended) reason += "; " + ended.error().message();
  if (!state->tail.empty()) reason += "; last words: " + state->tail;
  // It ends by itself, and well, when the VMM has gone.
  if (status && status->code == 0) {
    log::info("virtiofsd has ended", {{"reason", reason}});
  } else if (!state->stopping) {
    log::warn("virtiofsd has ended", {{"reason", reason}});
  }
  state->exited.set(std::move(reason));
  // A subreaper inherits the child.
  for (int i = 0; i < 200; ++i) {
    pid_t child = waitpid(-group, nullptr, WNOHANG);
    if (child < 0) break;
    if (child == 0) co_await sleep_for(5ms);
  }
  state->log.cancel();
  state->gone.set();
}

Task<Result<std::shared_ptr<Virtiofsd>>> Virtiofsd::start(VirtiofsdOptions options,
                                                          Journal& journal) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY(VirtiofsdDialect dialect, co_await probe_virtiofsd(options.path));
  VirtiofsdCommand command{options.path,       options.shared_dir, options.cache,
                           options.extra_args, kSocketFd,          virtiofsd_max_files()};
  SpawnOptions spawn_options;
  CO_TRY(spawn_options.argv, virtiofsd_args(dialect, command));
  CO_TRY_STATUS(journal.add(journal::file_entry(options.socket_path)));
  CO_TRY(UniqueFd socket, listen_on(options.socket_path));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) co_return fail_errno("pipe");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  // Only the reading end: the daemon's stderr stays blocking.
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  spawn_options.env = std::vector<std::string>{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  spawn_options.fds = {{write_end.get(), 1}, {write_end.get(), 2}, {socket.get(), kSocketFd}};
  spawn_options.netns_fd = options.netns_fd;
  spawn_options.die_with_parent = true;
  CO_TRY(Process process, Process::spawn(spawn_options));

  auto state = std::make_shared<State>(executor, std::move(process), std::move(read_end));
  state->socket_path = options.socket_path;
  state->journal = &journal;
  std::shared_ptr<Virtiofsd> daemon(new Virtiofsd(state));
  kata::spawn(executor, watch(state));
  kata::spawn(executor, read_log(state));
  CO_TRY(state->process_entry, journal::process_entry(state->process.pid()));
  CO_TRY_STATUS(journal.add(state->process_entry));
  log::debug("virtiofsd runs", {{"pid", std::to_string(daemon->pid())}});
  co_return daemon;
}

Virtiofsd::~Virtiofsd() {
  state_->kill_group();
}

pid_t Virtiofsd::pid() const {
  return state_->process.pid();
}

Promise<std::string>& Virtiofsd::exited() {
  return state_->exited;
}

Task<> Virtiofsd::stop() {
  // The object may go away while this waits.
  auto state = state_;
  state->stopping = true;
  state->kill_group();
  co_await state->gone.wait();
  const auto strike = [&](Status removed, const journal::Entry& entry) {
    if (removed) removed = state->journal->done(entry);
    if (!removed) log::failure("virtiofsd leaves something", removed.error());
  };
  strike({}, state->process_entry);
  strike(remove_file(state->socket_path), journal::file_entry(state->socket_path));
}

}  // namespace kata::storage
