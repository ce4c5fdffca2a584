#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/process.h"
#include "base/task.h"
#include "journal/journal.h"

namespace kata::storage {

struct VirtiofsdOptions {
  std::string path;                     // the daemon (config virtio_fs_daemon)
  std::string shared_dir;               // SharedTree::exported()
  std::string socket_path;              // made here; the VMM connects to it once
  std::string cache = "never";          // config virtio_fs_cache, either dialect's word
  std::vector<std::string> extra_args;  // config virtio_fs_extra_args
  int netns_fd = -1;                    // network namespace to start it in
};

// A virtiofsd process that serves one VM over vhost-user. Owns process and socket file; both are in
// the journal. It dies with the thread that started it; the destructor kills it. One event loop.
//
// Its sandbox (own root, namespaces, seccomp filter) cannot be switched off: extra arguments that
// would do so are refused (CVE-2026-47243, CVE-2026-44210).
class Virtiofsd {
 public:
  // Comes back when the daemon runs and its socket listens. kInvalidArgument for refused extra
  // arguments and for a program that is no virtiofsd, kNotFound for an absent one.
  static Task<Result<std::shared_ptr<Virtiofsd>>> start(VirtiofsdOptions options, Journal& journal);
  ~Virtiofsd();

  pid_t pid() const;
  // Arrives as soon as the process has ended, with how it ended and its last words.
  Promise<std::string>& exited();
  // Kills and reaps it, removes the socket; idempotent.
  Task<> stop();

 private:
  struct State;
  explicit Virtiofsd(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static Task<> watch(std::shared_ptr<State> state);
  static Task<> read_log(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace kata::storage
