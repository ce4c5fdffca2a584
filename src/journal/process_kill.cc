#include "journal/process_kill.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "base/unique_fd.h"

namespace kata::journal {

namespace {

struct Stat {
  pid_t group = 0;
  uint64_t start_time = 0;
};

template <class T>
bool to_number(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// proc(5): "pid (name) state ppid pgrp ...", where the name may hold anything.
Result<Stat> read_stat(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  TRY(std::string text, read_file(path));
  size_t begin = text.rfind(") ");
  if (begin == text.npos) return fail(Code::kDataLoss, path + " is not understood");
  begin += 2;
  Stat stat;
  constexpr int kGroup = 5, kStartTime = 22;
  for (int field = 3; begin < text.size(); ++field) {
    size_t end = std::min(text.find(' ', begin), text.size());
    std::string_view word = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (field == kGroup && !to_number(word, &stat.group)) break;
    if (field == kStartTime) {
      if (!to_number(word, &stat.start_time)) break;
      return stat;
    }
  }
  return fail(Code::kDataLoss, path + " is not understood");
}

std::string program_of(pid_t pid) {
  char target[PATH_MAX];
  ssize_t n = readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), target, sizeof target);
  return n < 0 ? std::string() : std::string(target, static_cast<size_t>(n));
}

bool is_victim(pid_t pid, const ProcessId& id) {
  auto stat = read_stat(pid);
  if (!stat) return false;
  if (pid == id.pid) return stat->start_time == id.start_time;
  return stat->group == id.pid && stat->start_time >= id.start_time && !id.program.empty() &&
         program_of(pid) == id.program;
}

// The pidfd is taken before the check, so that the signal hits what was checked.
UniqueFd kill_if_victim(pid_t pid, const ProcessId& id) {
  if (!is_victim(pid, id)) return {};
  auto pidfd = open_pidfd(pid);
  if (!pidfd || !is_victim(pid, id)) return {};
  if (auto sent = signal_pidfd(pidfd->get(), SIGKILL); !sent) return {};
  return std::move(*pidfd);
}

}  // namespace

Result<ProcessId> identify(pid_t pid) {
  auto stat = read_stat(pid);
  if (!stat) return std::unexpected(std::move(stat.error()).as(Code::kNotFound));
  return ProcessId{pid, stat->start_time, program_of(pid)};
}

Status kill_process(const ProcessId& id, std::chrono::milliseconds wait) {
  if (id.pid <= 1) return fail(Code::kInvalidArgument, "process " + std::to_string(id.pid));
  using Clock = std::chrono::steady_clock;
  std::vector<UniqueFd> dying;
  if (UniqueFd leader = kill_if_victim(id.pid, id)) dying.push_back(std::move(leader));
  TRY(auto names, list_dir("/proc"));
  for (const auto& name : names) {
    pid_t pid = 0;
    if (!to_number(std::string_view(name), &pid) || pid == id.pid) continue;
    if (UniqueFd member = kill_if_victim(pid, id)) dying.push_back(std::move(member));
  }
  const auto deadline = Clock::now() + wait;
  for (const auto& pidfd : dying) {
    pollfd ended{pidfd.get(), POLLIN, 0};
    for (;;) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      int n = poll(&ended, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
      if (n > 0) break;
      if (n < 0 && errno == EINTR) continue;
      return fail(Code::kDeadlineExceeded,
                  "process " + std::to_string(id.pid) + " (" + id.program + ") does not die");
    }
  }
  return {};
}

}  // namespace kata::journal
