#include "runtime/series_budget.h"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>

namespace kata::runtime {

namespace {

__extension__ using Wide = unsigned __int128;
constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;

}  // namespace

SeriesBudget::SeriesBudget(std::function<Clock::time_point()> now)
    : now_(std::move(now)), refilled_(now_()) {
  if (getrandom(&key_, sizeof key_, 0) != sizeof key_) abort();
  key_ %= kPrime;
}

// The text as a polynomial at the secret point, modulo a prime.
uint64_t SeriesBudget::hash(std::string_view text, uint64_t start) const {
  for (const char c : text) {
    start =
        static_cast<uint64_t>((Wide{start} * key_ + static_cast<unsigned char>(c) + 1) % kPrime);
  }
  return start;
}

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
  const uint64_t series = hash(labels, hash("{", hash(name)));
  if (!std::ranges::binary_search(known_, series)) {
    if (permits_ == 0) return false;
    --permits_;
  }
  seen_.push_back(series);
  return true;
}

}  // namespace kata::runtime
