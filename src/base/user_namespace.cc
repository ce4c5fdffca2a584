#include "base/user_namespace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "base/file.h"

namespace kata {
namespace {

// The kernel takes 340 lines; nobody needs them.
constexpr size_t kMostMappings = 340;
constexpr char kNoSeparator = '\0';

const char* file_of(int kind) {
  switch (kind) {
    case CLONE_NEWIPC:
      return "ipc";
    case CLONE_NEWUTS:
      return "uts";
    case CLONE_NEWNET:
      return "net";
    default:
      return "user";
  }
}

bool take_number(std::string_view* text, char end, uint32_t* value) {
  const size_t size = std::min(text->find(end), text->size());
  auto [last, problem] = std::from_chars(text->data(), text->data() + size, *value);
  if (size == 0 || problem != std::errc() || last != text->data() + size) return false;
  text->remove_prefix(std::min(size + 1, text->size()));
  return true;
}

std::string lines(const std::vector<IdMapping>& maps) {
  std::string text;
  for (const IdMapping& map : maps) {
    text += std::to_string(map.inside) + ' ' + std::to_string(map.outside) + ' ' +
            std::to_string(map.size) + '\n';
  }
  return text;
}

// A child that only waits: it ends with this object, and when we die.
class Keeper {
 public:
  Keeper() = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    if (!pidfd_) return;
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    siginfo_t info{};
    // Somebody who reaps every child may have been first.
    while (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) < 0 && errno == EINTR) {
    }
  }

  Status start(uint64_t flags) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return fail_errno("pipe");
    UniqueFd read_end(ends[0]);
    write_end_.reset(ends[1]);
    int pidfd = -1;
    clone_args args{};
    args.flags = flags | CLONE_PIDFD;
    args.exit_signal = SIGCHLD;
    args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
    const long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) return fail_errno("create user namespace");
    if (pid == 0) {
      // A copy of a process that may have threads: nothing but system calls.
      syscall(SYS_close, ends[1]);
      char byte = 0;
      syscall(SYS_read, ends[0], &byte, 1);
      syscall(SYS_exit_group, 0);
    }
    pid_ = static_cast<pid_t>(pid);
    pidfd_.reset(pidfd);
    return {};
  }

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd write_end_;
};

}  // namespace

Result<std::vector<IdMapping>> parse_id_mappings(std::string_view text) {
  std::vector<IdMapping> maps;
  const std::string whole(text.substr(0, 64));
  while (!text.empty()) {
    std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    IdMapping map;
    const bool read = take_number(&entry, ':', &map.inside) &&
                      take_number(&entry, ':', &map.outside) &&
                      take_number(&entry, kNoSeparator, &map.size);
    if (!read || !entry.empty() || maps.size() == kMostMappings) {
      return fail(Code::kInvalidArgument, "\"" + whole + "\" is not a list of id mappings");
    }
    maps.push_back(map);
  }
  if (maps.empty()) return fail(Code::kInvalidArgument, "an empty list of id mappings");
  return maps;
}

Status write_id_mappings(pid_t pid, const IdMappings& maps) {
  const std::string process = "/proc/" + std::to_string(pid);
  // An unmapped namespace is legal; its processes are all "nobody".
  if (!maps.uids.empty()) {
    TRY_STATUS(in_step("write uid map", write_existing(process + "/uid_map", lines(maps.uids))));
  }
  if (maps.gids.empty()) return {};
  return in_step("write gid map", write_existing(process + "/gid_map", lines(maps.gids)));
}

Result<std::vector<UniqueFd>> make_user_namespace(const IdMappings& maps,
                                                  const std::vector<int>& kinds) {
  uint64_t flags = CLONE_NEWUSER;
  for (int kind : kinds) flags |= static_cast<uint64_t>(kind);
  Keeper keeper;
  TRY_STATUS(keeper.start(flags));
  TRY_STATUS(write_id_mappings(keeper.pid(), maps));
  const std::string folder = "/proc/" + std::to_string(keeper.pid()) + "/ns/";
  std::vector<UniqueFd> made(1);
  TRY(made[0], open_file(folder + file_of(CLONE_NEWUSER), O_RDONLY));
  for (int kind : kinds) {
    TRY(UniqueFd fd, open_file(folder + file_of(kind), O_RDONLY));
    made.push_back(std::move(fd));
  }
  return made;
}

}  // namespace kata
