#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/text.h"

namespace kata::metrics {

// Upper ends of `count` buckets in milliseconds, each twice the one before: 1, 2, 4, ...
std::vector<double> doubling_buckets(size_t count);
// What upstream's histograms have: 1 to 512 ms.
inline constexpr size_t kUpstreamBuckets = 10;

// Histograms of durations that differ by one label. The values of the label are those of the
// program's own words: nobody outside can make new ones. One thread.
class Histograms {
 public:
  Histograms(std::string name, std::string help, std::string label_name, size_t buckets);

  void observe(std::string_view value, std::chrono::duration<double, std::milli> duration);
  // The whole family; nothing before the first observation.
  void write(Text* out) const;

 private:
  struct One {
    std::vector<uint64_t> counts;  // per bucket, the last one takes what is beyond
    uint64_t count = 0;
    double sum = 0;
  };
  std::string name_, help_, label_;
  std::vector<double> bounds_;
  std::map<std::string, One, std::less<>> all_;
};

}  // namespace kata::metrics
