#include "runtime/phase_record.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace kata::runtime {

namespace {

constexpr off_t kMaxNodeLog = 1 << 20;
// The start of a pod and of its first containers, and the latest ones: a pod that lives for months
// starts containers without end.
constexpr size_t kFirstPhases = 40;
constexpr size_t kMostPhases = 80;

double ms(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double rounded(double value) {
  return static_cast<double>(static_cast<int64_t>(value * 10)) / 10;
}

}  // namespace

PhaseRecord::PhaseRecord(std::string sandbox_id) : sandbox_id_(std::move(sandbox_id)) {}

void PhaseRecord::begin(std::string name) {
  end();
  current_ = name;
  if (phases_.size() == kMostPhases) {
    phases_.erase(phases_.begin() + kFirstPhases);
    left_out_++;
  }
  phases_.push_back({std::move(name), Clock::now(), {}});
}

void PhaseRecord::end() {
  if (current_.empty()) return;
  phases_.back().end = Clock::now();
  current_.clear();
}

void PhaseRecord::note(std::string key, std::string value) {
  notes_.emplace_back(std::move(key), std::move(value));
}

void PhaseRecord::for_each(
    const std::function<void(const std::string&, Clock::duration)>& each) const {
  for (const auto& phase : phases_) {
    if (phase.end != Clock::time_point{}) each(phase.name, phase.end - phase.begin);
  }
}

std::string PhaseRecord::summary() const {
  std::string text;
  for (const auto& phase : phases_) {
    const bool running = phase.end == Clock::time_point{};
    char part[128];
    snprintf(part, sizeof part, "%s%.64s %.0f ms%s", text.empty() ? "" : ", ", phase.name.c_str(),
             ms((running ? Clock::now() : phase.end) - phase.begin), running ? " (not over)" : "");
    text += part;
  }
  return text;
}

std::string PhaseRecord::to_json() const {
  nlohmann::ordered_json record;
  record["sandbox"] = sandbox_id_;
  record["began"] = std::chrono::duration<double>(began_.time_since_epoch()).count();
  record["notes"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : notes_) record["notes"][key] = value;
  record["phases"] = nlohmann::ordered_json::array();
  Clock::time_point last = origin_;
  for (const auto& phase : phases_) {
    const auto end = phase.end == Clock::time_point{} ? Clock::now() : phase.end;
    last = std::max(last, end);
    record["phases"].push_back({{"name", phase.name},
                                {"begin_ms", rounded(ms(phase.begin - origin_))},
                                {"ms", rounded(ms(end - phase.begin))}});
  }
  if (left_out_ > 0) record["left_out"] = left_out_;
  record["total_ms"] = rounded(ms(last - origin_));
  return record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status PhaseRecord::save(const std::string& path) const {
  return write_file_atomic(path, to_json(), 0600);
}

Status PhaseRecord::append_to(const std::string& node_log) const {
  TRY_STATUS(make_dirs(dirname(node_log), 0755));
  TRY(UniqueFd log, open_file(node_log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  struct stat info {};
  if (fstat(log.get(), &info) == 0 && info.st_size > kMaxNodeLog) {
    // One old generation is enough for a median.
    if (rename(node_log.c_str(), (node_log + ".1").c_str()) < 0) return fail_errno("rotate");
    TRY(log, open_file(node_log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  }
  return write_all(log.get(), to_json());
}

}  // namespace kata::runtime
