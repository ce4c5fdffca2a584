#pragma once

#include <optional>
#include <string>

#include "base/process.h"
#include "base/task.h"

namespace kata {

struct CommandLimits {
  std::optional<Clock::duration> time;  // absent = none; then it is killed with its process group
  size_t output = 64 << 10;             // of both streams together; the end of a longer one is kept
};

struct CommandResult {
  ExitStatus status;
  bool timed_out = false;
  std::string output;
};

// Runs a program to its end and keeps what it says on stdout and stderr. What it left running in
// the background is not waited for. An error means that it did not run.
Task<Result<CommandResult>> run_command(SpawnOptions options, CommandLimits limits);

}  // namespace kata
