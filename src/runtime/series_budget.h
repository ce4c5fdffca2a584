#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/task.h"

namespace kata::runtime {

// How many time series one guest may give to a Prometheus that it shares with others. A series of
// the answer before is free. A new one costs one of kMost permits; one permit comes back in
// kPeriod. Eight bytes for each series of the last two answers: a hash with a secret key, so that
// no guest can make series that look like a known one. One thread.
class SeriesBudget {
 public:
  static constexpr size_t kMost = 4000;  // an honest guest has some 1000
  static constexpr Clock::duration kPeriod = 10s;

  explicit SeriesBudget(std::function<Clock::time_point()> now = Clock::now);
  // A new answer begins.
  void begin();
  // False: neither known nor a permit left. Never more than kMost in one answer.
  bool take(std::string_view name, std::string_view labels);

 private:
  uint64_t hash(std::string_view text, uint64_t start = 0) const;

  std::function<Clock::time_point()> now_;
  uint64_t key_ = 0;
  Clock::time_point refilled_;
  size_t permits_ = kMost;
  std::vector<uint64_t> known_;  // hashes, sorted
  std::vector<uint64_t> seen_;   // of this answer
};

}  // namespace kata::runtime
