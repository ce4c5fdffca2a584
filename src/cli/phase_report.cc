#include "cli/phase_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/context.h"

namespace kata::cli {
namespace {

using nlohmann::json;

struct Row {
  std::string name;
  double ms = 0;
  double median = -1;  // negative: nothing to compare with
  double extra() const { return median < 0 ? 0 : ms - median; }
};

double median_of(std::vector<double> values) {
  if (values.empty()) return -1;
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string note(const Start& start, const std::string& name) {
  auto found = start.notes.find(name);
  return found == start.notes.end() ? "" : found->second;
}

std::vector<Row> compared(const Start& start, const std::vector<Start>& others) {
  std::map<std::string, std::vector<double>> times;
  std::vector<double> totals;
  for (const Start& other : others) {
    totals.push_back(other.total_ms);
    for (const auto& [name, ms] : other.phases) times[name].push_back(ms);
  }
  std::vector<Row> rows;
  for (const auto& [name, ms] : start.phases) rows.push_back({name, ms, median_of(times[name])});
  rows.push_back({"total", start.total_ms, median_of(totals)});
  return rows;
}

std::string table(const std::vector<Row>& rows) {
  std::string text = "phase                  this start       median   difference\n";
  for (const Row& row : rows) {
    char line[160];
    if (row.median < 0) {
      snprintf(line, sizeof line, "%-20.40s %9.0f ms            -            -\n", row.name.c_str(),
               row.ms);
    } else {
      snprintf(line, sizeof line, "%-20.40s %9.0f ms %9.0f ms %+9.0f ms\n", row.name.c_str(),
               row.ms, row.median, row.extra());
    }
    text += line;
  }
  return text;
}

// What a phase spends its time with, and where to look.
std::string_view advice(const std::string& phase) {
  if (phase == "config") return "reading the configuration: is its disk slow?";
  if (phase == "network") return "taking over the network: many interfaces or routes?";
  if (phase.starts_with("virtiofsd")) return "starting virtiofsd: is the host short of CPU?";
  if (phase.starts_with("vmm") || phase == "vm") {
    return "starting the VMM: huge pages, preallocated memory, or a slow disk below it?";
  }
  if (phase == "kernel" || phase == "agent") {
    return "the guest's boot: emulation instead of KVM (`kata-runtime check`), a busy host, or a "
           "slow guest kernel";
  }
  if (phase == "rootfs") return "mounting the container's root: snapshotter and its disk";
  if (phase == "container" || phase == "exec") {
    return "work of the agent in the guest: hooks, many mounts, few virtual CPUs";
  }
  return "";
}

std::string verdict(const std::vector<Row>& rows, size_t others) {
  if (others == 0) return "There is no other start with this accelerator to compare with.\n";
  const Row& total = rows.back();
  if (total.ms <= total.median * 1.2) {
    return "Not slower than usual: within a fifth of the median of " + std::to_string(others) +
           " starts.\n";
  }
  const auto worst = std::max_element(rows.begin(), rows.end() - 1,
                                      [](auto& a, auto& b) { return a.extra() < b.extra(); });
  if (worst == rows.end() - 1 || worst->extra() <= 0) {
    return "Slower than usual, in no phase in particular.\n";
  }
  std::string text = "Slower than the median of " + std::to_string(others) +
                     " starts, most of all in phase " + worst->name + ".\n";
  const std::string_view hint = advice(worst->name);
  return hint.empty() ? text : text + "  " + std::string(hint) + "\n";
}

}  // namespace

Result<Start> parse_start(std::string_view line) {
  const json record = json::parse(line, nullptr, false);
  auto broken = [] { return fail(Code::kDataLoss, "not a phase record"); };
  if (!record.is_object()) return broken();
  auto sandbox = record.find("sandbox"), phases = record.find("phases"),
       total = record.find("total_ms"), notes = record.find("notes");
  if (sandbox == record.end() || !sandbox->is_string() || phases == record.end() ||
      !phases->is_array() || total == record.end() || !total->is_number()) {
    return broken();
  }
  Start start;
  start.sandbox = sandbox->get<std::string>();
  start.total_ms = total->get<double>();
  for (const json& phase : *phases) {
    if (!phase.is_object() || !phase.contains("name") || !phase["name"].is_string() ||
        !phase.contains("ms") || !phase["ms"].is_number()) {
      return broken();
    }
    start.phases.emplace_back(phase["name"].get<std::string>(), phase["ms"].get<double>());
  }
  if (notes == record.end() || !notes->is_object()) return start;
  for (const auto& [key, value] : notes->items()) {
    if (value.is_string()) start.notes[key] = value.get<std::string>();
  }
  return start;
}

std::vector<Start> parse_starts(std::string_view log) {
  std::vector<Start> all;
  while (!log.empty()) {
    const size_t end = std::min(log.find('\n'), log.size());
    if (auto start = parse_start(log.substr(0, end))) all.push_back(std::move(*start));
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return all;
}

std::string why_slow(const Start& start, const std::vector<Start>& others) {
  std::vector<Start> alike;
  for (const Start& other : others) {
    if (other.sandbox != start.sandbox &&
        note(other, "accelerator") == note(start, "accelerator")) {
      alike.push_back(other);
    }
  }
  std::string text = "sandbox " + start.sandbox + "\n";
  for (const auto& [key, value] : start.notes) text += key + ": " + value + "\n";
  const std::vector<Row> rows = compared(start, alike);
  return printable(text + "\n" + table(rows) + "\n" + verdict(rows, alike.size()));
}

}  // namespace kata::cli
