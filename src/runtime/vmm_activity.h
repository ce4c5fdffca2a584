#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/task.h"

namespace kata::runtime {

// CPU time that a process, all threads together, has used or stood in the queue for, in
// nanoseconds. A thread that is stopped, frozen or asleep adds nothing; one that a busy host keeps
// waiting does. Empty when the kernel does not count that (no schedstat, or one of zeros), or the
// process is gone.
std::optional<uint64_t> cpu_demand(pid_t pid, const std::string& proc = "/proc");
// CPU time that it has used, in nanoseconds, which every kernel counts; 0 when it is gone.
uint64_t cpu_time(pid_t pid, const std::string& proc = "/proc");

// How much of a CPU a VMM wants, from one look to the next.
class VmmActivity {
 public:
  explicit VmmActivity(pid_t pid, std::string proc = "/proc") : pid_(pid), proc_(std::move(proc)) {}
  // Share of one CPU since the last call; 0 at the first. 1 when it is not known: used time alone
  // does not tell a starved VMM from an idle one, and nobody is to be condemned for that.
  double sample();

 private:
  pid_t pid_;
  std::string proc_;
  uint64_t demand_ = 0;
  Clock::time_point at_;
};

}  // namespace kata::runtime
