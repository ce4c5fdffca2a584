#include "runtime/guest_metrics.h"

#include <algorithm>
#include <vector>

#include "metrics/exposition.h"
#include "metrics/text.h"

namespace kata::runtime {

namespace {

// The text as a whole is bounded by the size of a reply; an honest guest has some 1000 samples.
constexpr size_t kMaxText = 1 << 20;
constexpr size_t kMaxSamples = 10000;

constexpr std::string_view kReserved[] = {"sandbox_id", "cri_uid", "cri_name", "cri_namespace"};

struct Family {
  std::string name, type = "untyped", help;
  metrics::Text samples;
};

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
  // False when the line is refused.
  bool add(std::string_view text) {
    auto line = metrics::parse_line(text);
    if (!line) return false;
    if (line->kind == metrics::Line::Kind::kNothing) return true;
    const std::string name = admitted_name(line->name);
    if (name.empty()) return false;
    if (line->kind == metrics::Line::Kind::kSample) return add_sample(name, *line);
    Family& family = find(name);
    (line->kind == metrics::Line::Kind::kHelp ? family.help : family.type) = line->text;
    return true;
  }

  std::string text() {
    metrics::Text out;
    for (Family& family : families_) {
      std::string samples = family.samples.take();
      if (samples.empty()) continue;
      out.family(family.name, family.type, family.help);
      out.append(samples);
    }
    return out.take();
  }

 private:
  bool add_sample(const std::string& name, const metrics::Line& line) {
    if (has_reserved_label(line.labels) || ++samples_ > kMaxSamples) return false;
    // The samples of a histogram follow its announcement.
    Family* family = families_.empty() ? nullptr : &families_[current_];
    if (!family || !metrics::belongs_to(name, family->name, family->type)) family = &find(name);
    family->samples.sample(name, line.labels, line.value);
    return true;
  }

  Family& find(const std::string& name) {
    const auto found = std::ranges::find(families_, name, &Family::name);
    current_ = static_cast<size_t>(found - families_.begin());
    if (found == families_.end()) families_.emplace_back().name = name;
    return families_[current_];
  }

  std::vector<Family> families_;
  size_t current_ = 0;
  size_t samples_ = 0;
};

}  // namespace

GuestMetrics admit_guest_metrics(std::string_view text) {
  GuestMetrics admitted;
  Admission admission;
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
