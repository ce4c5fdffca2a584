#pragma once

#include <string>
#include <vector>

#include "base/task.h"

namespace kata::agent {

// Output of a helper program of the guest image.
struct ToolOutput {
  int code = 0;
  std::string out, err;
};

// Runs argv[0] (absolute path) to its end with `input` on stdin; at most 4 MiB of each output are
// kept. A program that outlives `limit` is killed: kDeadlineExceeded.
Task<Result<ToolOutput>> run_tool(std::vector<std::string> argv, std::string input = {},
                                  Clock::duration limit = std::chrono::seconds(60));

// First of the paths that exists; kNotFound names them all.
Result<std::string> find_tool(const std::vector<std::string>& paths);

}  // namespace kata::agent
