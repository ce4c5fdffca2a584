#include "runtime/series_budget.h"

#include <algorithm>
#include <string>

namespace kata::runtime {

SeriesBudget::SeriesBudget(std::function<Clock::time_point()> now)
    : now_(std::move(now)), refilled_(now_()) {}

void SeriesBudget::begin() {
  known_ = std::move(seen_);
  seen_.clear();
  std::ranges::sort(known_);
  const auto back = static_cast<size_t>((now_() - refilled_) / kPeriod);
  refilled_ += back * kPeriod;
  permits_ = std::min(kMost, permits_ + std::min(back, kMost));
}

bool SeriesBudget::take(std::string_view name, std::string_view labels) {
  if (seen_.size() >= kMost) return false;
  std::string key(name);
  key.append("{").append(labels);
  const uint64_t hash = std::hash<std::string>()(key);
  if (!std::ranges::binary_search(known_, hash)) {
    if (permits_ == 0) return false;
    --permits_;
  }
  seen_.push_back(hash);
  return true;
}

}  // namespace kata::runtime
