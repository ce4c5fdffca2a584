#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::hypervisor {

// Splits a byte stream into lines and keeps the last ones. The writer is a guest or a VMM: lines
// are cut, their number is bounded, and everything but printable ASCII becomes '?'.
class LineTail {
 public:
  static constexpr size_t kMaxLine = 2048;  // of what on_line gets: an agent's line is whole
  static constexpr size_t kMaxShown = 512;  // of a line in text(), which becomes part of errors
  static constexpr size_t kMaxLines = 40;
  using OnLine = std::function<void(const std::string& line)>;

  explicit LineTail(OnLine on_line = {}) : on_line_(std::move(on_line)) {}

  void feed(std::string_view bytes);
  // The last `lines` lines joined with newlines, a started one included, each cut.
  std::string text(size_t lines = kMaxLines) const;
  uint64_t bytes() const { return bytes_; }

 private:
  void finish_line();

  OnLine on_line_;
  std::deque<std::string> lines_;
  std::string current_;
  uint64_t bytes_ = 0;
};

// Reads the descriptor (pipe or socket) into the tail until it ends.
Task<> read_into_tail(UniqueFd fd, std::shared_ptr<LineTail> tail);

}  // namespace kata::hypervisor
