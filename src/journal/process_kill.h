#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace kata::journal {

// A process told apart from every later one with the same number.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start_time = 0;  // clock ticks since boot, /proc/<pid>/stat field 22
  std::string program;      // target of /proc/<pid>/exe; empty for a zombie
};

// kNotFound when there is no such process.
Result<ProcessId> identify(pid_t pid);

// SIGKILLs exactly this process, and what of its process group runs the same program: a virtiofsd
// leaves its work to a child that outlives it for a moment. Waits until they are gone;
// kDeadlineExceeded after `wait`. Success when nothing is left to kill.
Status kill_process(const ProcessId& id, std::chrono::milliseconds wait);

}  // namespace kata::journal
