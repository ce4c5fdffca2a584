#include "runtime/guest_metrics.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "metrics/exposition.h"
#include "metrics/text.h"

namespace kata::runtime {

namespace {

// An honest guest has some forty families; announced ones without samples count too.
constexpr size_t kMaxText = 1 << 20;
constexpr size_t kMaxFamilies = 1000;

constexpr std::string_view kReserved[] = {"sandbox_id", "cri_uid", "cri_name", "cri_namespace"};

struct Family {
  std::string name, help;
  metrics::Text samples;
};

// All others are gauges: the monitor shows a family of many sandboxes under one type.
constexpr std::string_view kCounters[] = {"kata_agent_scrape_count",
                                          "kata_agent_process_cpu_seconds_total"};

const char* type_of(std::string_view family) {
  return std::ranges::find(kCounters, family) != std::end(kCounters) ? "counter" : "gauge";
}

// The name it is passed on under; empty when it is not.
std::string admitted_name(std::string_view name) {
  if (name.starts_with("kata_guest_") || name.starts_with("kata_agent_")) return std::string(name);
  if (name.starts_with("go_") || name.starts_with("process_")) {
    return "kata_agent_" + std::string(name);
  }
  return {};
}

bool has_reserved_label(std::string_view labels) {
  bool found = false;
  metrics::for_each_label(labels, [&](std::string_view name, std::string_view) {
    found = found || std::ranges::find(kReserved, name) != std::end(kReserved);
  });
  return found;
}

class Admission {
 public:
  explicit Admission(SeriesBudget& budget) : budget_(budget) { budget_.begin(); }

  // False when the line is refused.
  bool add(std::string_view text) {
    auto line = metrics::parse_line(text);
    if (!line) return false;
    if (line->kind == metrics::Line::Kind::kNothing) return true;
    const std::string name = admitted_name(line->name);
    if (name.empty()) return false;
    if (line->kind == metrics::Line::Kind::kType) return true;
    if (line->kind == metrics::Line::Kind::kSample) return add_sample(name, *line);
    Family* family = find(name);
    if (family) family->help = line->text;
    return family != nullptr;
  }

  std::string text() {
    metrics::Text out;
    for (Family& family : families_) {
      std::string samples = family.samples.take();
      if (samples.empty()) continue;
      out.family(family.name, type_of(family.name), family.help);
      out.append(samples);
    }
    return out.take();
  }

 private:
  bool add_sample(const std::string& name, const metrics::Line& line) {
    if (has_reserved_label(line.labels)) return false;
    Family* family = find(name);
    if (!family || !budget_.take(name, line.labels)) return false;
    family->samples.sample(name, line.labels, line.value);
    return true;
  }

  // Null when there are too many.
  Family* find(const std::string& name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return &families_[found->second];
    if (families_.size() == kMaxFamilies) return nullptr;
    numbers_.emplace(name, families_.size());
    families_.emplace_back().name = name;
    return &families_.back();
  }

  SeriesBudget& budget_;
  std::vector<Family> families_;  // in the order of their first mention
  std::unordered_map<std::string, size_t> numbers_;
};

}  // namespace

GuestMetrics admit_guest_metrics(std::string_view text, SeriesBudget& budget) {
  GuestMetrics admitted;
  Admission admission(budget);
  auto each = [&](std::string_view line) -> Status {
    if (!admission.add(line)) ++admitted.refused;
    return {};
  };
  metrics::LineCutter cutter(kMaxText, each);
  auto cut = cutter.add(text);
  if (cut) cut = cutter.finish();
  if (!cut) ++admitted.refused;
  admitted.text = admission.text();
  return admitted;
}

}  // namespace kata::runtime
