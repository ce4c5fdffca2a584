#include "metrics/histogram.h"

#include <algorithm>

namespace kata::metrics {

std::vector<double> doubling_buckets(size_t count) {
  std::vector<double> bounds;
  for (double bound = 1; bounds.size() < count; bound *= 2) bounds.push_back(bound);
  return bounds;
}

Histograms::Histograms(std::string name, std::string help, std::string label_name, size_t buckets)
    : name_(std::move(name)),
      help_(std::move(help)),
      label_(std::move(label_name)),
      bounds_(doubling_buckets(buckets)) {}

void Histograms::observe(std::string_view value,
                         std::chrono::duration<double, std::milli> duration) {
  auto found = all_.find(value);
  if (found == all_.end()) {
    found = all_.emplace(value, One{std::vector<uint64_t>(bounds_.size() + 1)}).first;
  }
  One& one = found->second;
  const double ms = duration.count();
  ++one.counts[static_cast<size_t>(std::ranges::lower_bound(bounds_, ms) - bounds_.begin())];
  ++one.count;
  one.sum += ms;
}

void Histograms::write(Text* out) const {
  if (all_.empty()) return;
  out->family(name_, "histogram", help_);
  for (const auto& [value, one] : all_) {
    const std::string own = label_.empty() ? "" : label(label_, value);
    const std::string before = own.empty() ? "" : own + ",";
    uint64_t below = 0;
    for (size_t i = 0; i < bounds_.size(); ++i) {
      below += one.counts[i];
      out->sample(name_ + "_bucket", before + label("le", number(bounds_[i])),
                  static_cast<double>(below));
    }
    out->sample(name_ + "_bucket", before + label("le", "+Inf"), static_cast<double>(one.count));
    out->sample(name_ + "_sum", own, one.sum);
    out->sample(name_ + "_count", own, static_cast<double>(one.count));
  }
}

}  // namespace kata::metrics
