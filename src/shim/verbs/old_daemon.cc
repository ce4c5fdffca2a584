#include "shim/verbs/old_daemon.h"

#include <poll.h>
#include <signal.h>

#include "base/file.h"
#include "base/process.h"
#include "containerd/task.pb.h"
#include "shim/socket.h"
#include "ttrpc/client.h"
#include "ttrpc/transport.h"

namespace kata::shim {

namespace {

using containerd::task::v2::ConnectRequest;
using containerd::task::v2::ConnectResponse;
using containerd::task::v2::ShutdownRequest;

constexpr char kService[] = "containerd.task.v2.Task";

constexpr auto kAnswerLimit = 500ms;
constexpr int kEndLimitMs = 2000;

enum class Answer { kNone, kWithoutTask, kWithTask };

Task<> ask(const OldDaemon* daemon, Answer* answer) {
  auto stream = co_await ttrpc::connect_unix(daemon->socket);
  if (!stream) co_return;
  auto client = ttrpc::Client::create(std::move(*stream));
  ConnectRequest request;
  request.set_id(daemon->id);
  ttrpc::CallOptions options;
  options.timeout = kAnswerLimit;
  auto reply = co_await client->call<ConnectResponse>(kService, "Connect", request, options);
  if (reply) *answer = reply->task_pid() != 0 ? Answer::kWithTask : Answer::kWithoutTask;
  if (*answer == Answer::kWithoutTask) {
    // A daemon that never got its Create would wait for ever; one with other tasks stays.
    ShutdownRequest shutdown;
    shutdown.set_id(daemon->id);
    auto ignored = co_await client->call<kata::wkt::Empty>(kService, "Shutdown", shutdown, options);
  }
  client->close();
}

Answer probe(const OldDaemon& daemon) {
  Answer answer = Answer::kNone;
  asio::io_context loop(1);
  spawn(loop.get_executor(), ask(&daemon, &answer));
  loop.run_for(kAnswerLimit * 3);
  return answer;
}

// The pid may belong to somebody else by now: a shim of ours carries its id in its command line.
bool is_daemon_of(uint32_t pid, const std::string& id) {
  auto line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  const std::string words = std::string("\0-id\0", 5) + id;
  return line && (line->find(words + '\0') != std::string::npos || line->ends_with(words));
}

bool ended_within(int pidfd, int limit_ms) {
  pollfd poller{pidfd, POLLIN, 0};
  return poll(&poller, 1, limit_ms) > 0;
}

Status end_process(const OldDaemon& daemon, bool gently) {
  if (daemon.pid == 0) return {};
  auto pidfd = open_pidfd(static_cast<pid_t>(daemon.pid));
  if (!pidfd || !is_daemon_of(daemon.pid, daemon.id)) return {};
  if (gently) {
    auto asked = signal_pidfd(pidfd->get(), SIGTERM);
    if (asked && ended_within(pidfd->get(), kEndLimitMs)) return {};
  }
  auto killed = signal_pidfd(pidfd->get(), SIGKILL);
  if (!killed && killed.error().sys_errno() == ESRCH) return {};
  if (killed) ended_within(pidfd->get(), kEndLimitMs);
  return in_step("end the old shim", std::move(killed));
}

}  // namespace

Result<bool> end_old_daemon(const OldDaemon& daemon) {
  if (!socket_is_live(daemon.socket)) return true;
  const Answer answer = probe(daemon);
  if (answer == Answer::kWithoutTask) return false;
  TRY_STATUS(end_process(daemon, answer == Answer::kWithTask));
  return true;
}

}  // namespace kata::shim
