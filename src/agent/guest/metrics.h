#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kata::agent {

// Prometheus text of the agent and the guest (facts/agent-behaviour.md section 14): every figure
// that could be read; a kernel file that is missing costs its own figures only.
class MetricsText {
 public:
  void family(const char* name, const char* type, const char* help);
  // `labels` without braces, for example `item="load1"`.
  void sample(const char* name, const std::string& labels, const std::string& value);
  void append(const std::string& lines) { text_ += lines; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string agent_metrics();
// The parts, one per kernel file family; `proc` is "/proc" except in tests.
void add_agent_process(const std::string& proc, MetricsText* out);
void add_load_and_cpu(const std::string& proc, MetricsText* out);
void add_memory(const std::string& proc, MetricsText* out);
void add_network_devices(const std::string& proc, MetricsText* out);
void add_disks(const std::string& proc, MetricsText* out);
void add_filesystems(const std::string& proc, MetricsText* out);

// Label value with quotes, backslashes and newlines escaped, in its quotes: `item="x"`.
std::string label(const char* name, std::string_view value);
// Words of a line, separated by blanks.
std::vector<std::string_view> words_in(std::string_view line);
// Runs `each(line)` for every line of a file below proc; a file that cannot be read has none.
void for_each_line(const std::string& path, const std::function<void(std::string_view)>& each);

}  // namespace kata::agent
