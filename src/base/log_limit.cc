#include "base/log_limit.h"

#include <algorithm>

#include "base/log_emit.h"

namespace kata::log {

bool Limit::take() {
  const auto now = std::chrono::steady_clock::now();
  tokens_ += std::chrono::duration<double>(now - at_).count() * rate_;
  tokens_ = std::min(tokens_, most_);
  at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void Limit::write(Level wanted, std::string_view message, Fields fields) {
  if (wanted >= level()) emit(wanted, message, std::move(fields));
}

void Limit::emit(Level level, std::string_view message, Fields fields) {
  if (!take()) {
    ++left_out_;
    return;
  }
  if (left_out_ > 0) fields.emplace_back("left_out", std::to_string(left_out_));
  left_out_ = 0;
  log::emit(level, message, std::move(fields));
}

}  // namespace kata::log
