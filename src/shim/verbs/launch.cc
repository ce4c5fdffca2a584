#include "shim/verbs/launch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/file.h"

namespace kata::shim {

namespace {

constexpr int kListenerFd = 3;
constexpr int kMaxOomScore = 1000;

// An administrator asks for it (containerd's sched_core), so a kernel that cannot is an error.
Status set_scheduling_cookie() {
  constexpr int kSchedCore = 62, kCreate = 1, kProcessGroup = 2;
  const char* wanted = getenv("SCHED_CORE");
  if (!wanted || !*wanted) return {};
  if (prctl(kSchedCore, kCreate, 0, kProcessGroup, 0) < 0) return fail_errno("core scheduling");
  return {};
}

// The file itself, not argv[0]: wrapper scripts and links start us under any name. A binary that
// was replaced meanwhile is still reached through the magic link.
std::string own_program() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return "/proc/self/exe";
  std::string program(path, static_cast<size_t>(length));
  return access(program.c_str(), X_OK) == 0 ? program : "/proc/self/exe";
}

std::vector<std::string> daemon_arguments(const Options& options) {
  std::vector<std::string> argv = {
      own_program(),   "-namespace",      options.containerd_namespace, "-address",
      options.address, "-publish-binary", options.publish_binary,       "-id",
      options.id};
  if (options.debug) argv.push_back("-debug");
  if (!options.config_path.empty()) {
    argv.insert(argv.end(), {"-config-path", options.config_path});
  }
  return argv;
}

// A little more likely to be killed than containerd. Best effort: not ours to decide in a
// container.
void adjust_oom_score(pid_t daemon) {
  auto text = read_file("/proc/" + std::to_string(getppid()) + "/oom_score_adj");
  if (!text) return;
  int score = std::min(atoi(text->c_str()) + 1, kMaxOomScore);
  [[maybe_unused]] auto written =
      write_existing("/proc/" + std::to_string(daemon) + "/oom_score_adj", std::to_string(score));
}

}  // namespace

Result<Process> launch_daemon(const Options& options, int listener) {
  TRY_STATUS(set_scheduling_cookie());
  SpawnOptions spawn;
  spawn.argv = daemon_arguments(options);
  spawn.fds = {{listener, kListenerFd}};
  TRY(Process daemon, Process::spawn(spawn));
  adjust_oom_score(daemon.pid());
  return daemon;
}

}  // namespace kata::shim
