#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"

namespace kata::runtime {

// Where the time of a start went: named phases with begin and duration, in the order they began. Of
// very many the first and the latest are kept.
// Written as JSON to a file of the sandbox and as one line to the node's log; logged when it ends.
class PhaseRecord {
 public:
  explicit PhaseRecord(std::string sandbox_id);

  // Ends the running phase and begins the next one.
  void begin(std::string name);
  void end();
  // Calls `each(name, duration)` for the phases that are over.
  void for_each(const std::function<void(const std::string&, Clock::duration)>& each) const;
  // Facts beside the times: accelerator, its reason, VMM.
  void note(std::string key, std::string value);

  // "config 2 ms, vmm-spawn 61 ms, ...": for error texts and the log.
  std::string summary() const;
  // {"sandbox":..,"began":..,"notes":{..},"phases":[{"name","begin_ms","ms"}..],"total_ms":..}, and
  // "left_out" with the number of phases that were not kept.
  std::string to_json() const;
  Clock::duration elapsed() const { return Clock::now() - origin_; }
  const std::string& current() const { return current_; }

  // Replaces `path` and, with `node_log`, appends to the node's log, which stays below 1 MiB.
  Status save(const std::string& path) const;
  Status append_to(const std::string& node_log) const;

 private:
  struct Phase {
    std::string name;
    Clock::time_point begin, end;
  };
  std::string sandbox_id_;
  Clock::time_point origin_ = Clock::now();
  std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  std::string current_;
  std::vector<Phase> phases_;
  uint64_t left_out_ = 0;
  std::vector<std::pair<std::string, std::string>> notes_;
};

}  // namespace kata::runtime
