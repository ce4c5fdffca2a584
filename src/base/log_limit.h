#pragma once

#include <chrono>

#include "base/log.h"

namespace kata::log {

// Lines that a guest or a program of others can cause as often as it likes: so many per second on
// average and at once, the others are counted. The next line that goes out says how many were left
// out. Not thread-safe.
class Limit {
 public:
  explicit Limit(double per_second, double at_once) : rate_(per_second), most_(at_once) {}

  void write(Level wanted, std::string_view message, Fields fields = {});
  // Whatever the level that was set.
  void emit(Level level, std::string_view message, Fields fields = {});

 private:
  bool take();

  double rate_, most_;
  double tokens_ = most_;
  std::chrono::steady_clock::time_point at_ = std::chrono::steady_clock::now();
  uint64_t left_out_ = 0;
};

}  // namespace kata::log
