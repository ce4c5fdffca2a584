#include "runtime/vmm_activity.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "metrics/process.h"

namespace kata::runtime {

std::optional<uint64_t> cpu_demand(pid_t pid, const std::string& proc) {
  uint64_t total = 0;
  std::error_code error;
  const std::string tasks = proc + "/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, error), end; !error && task != end;
       task.increment(error)) {
    // "<ns on a CPU> <ns in a run queue> <slices>"
    auto text = read_file(task->path().string() + "/schedstat", 256);
    if (!text) continue;
    char* rest = nullptr;
    total += std::strtoull(text->c_str(), &rest, 10);
    total += std::strtoull(rest, nullptr, 10);
  }
  if (total == 0) return std::nullopt;
  return total;
}

uint64_t cpu_time(pid_t pid, const std::string& proc) {
  return static_cast<uint64_t>(metrics::cpu_nanoseconds({proc + "/" + std::to_string(pid)}));
}

double VmmActivity::sample() {
  const auto now = Clock::now();
  const auto known = cpu_demand(pid_, proc_);
  if (!known) return 1;
  const uint64_t demand = *known;
  const bool first = at_ == Clock::time_point{};
  const double wall = std::chrono::duration<double, std::nano>(now - at_).count();
  // A thread that ended takes its time out of the sum.
  const auto used = static_cast<double>(demand - std::min(demand, demand_));
  demand_ = demand;
  at_ = now;
  return first || wall <= 0 ? 0 : used / wall;
}

}  // namespace kata::runtime
