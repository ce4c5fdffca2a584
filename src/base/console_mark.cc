#include "base/console_mark.h"

#include <algorithm>

namespace kata {
namespace {

constexpr std::string_view kBegin = "\x1b]7770;kata;";
constexpr char kEnd = '\a';
constexpr size_t kLongestWord = 32;

// How many bytes at the end of the text may be the beginning of kBegin.
size_t beginning_at_end(std::string_view text) {
  for (size_t n = std::min(text.size(), kBegin.size() - 1); n > 0; --n) {
    if (text.ends_with(kBegin.substr(0, n))) return n;
  }
  return 0;
}

}  // namespace

std::string console_mark(std::string_view word) {
  return std::string(kBegin) + std::string(word) + kEnd;
}

void MarkScanner::feed(std::string_view data, const Handler& on_text, const Handler& on_mark) {
  held_ += data;
  std::string_view left = held_;
  auto pass = [&](size_t n) {
    if (n > 0) on_text(left.substr(0, n));
    left.remove_prefix(n);
  };
  while (true) {
    const size_t begin = left.find(kBegin);
    if (begin == std::string_view::npos) {
      const size_t partial = beginning_at_end(left);
      pass(left.size() - (partial < shortest_held_ ? 0 : partial));
      break;
    }
    pass(begin);
    const std::string_view word = left.substr(kBegin.size());
    const size_t end = word.substr(0, kLongestWord + 1).find(kEnd);
    if (end == std::string_view::npos) {
      if (word.size() <= kLongestWord) break;  // the rest is still to come
      pass(kBegin.size());                     // too long to be one of ours
      continue;
    }
    on_mark(word.substr(0, end));
    left.remove_prefix(kBegin.size() + end + 1);
  }
  held_ = std::string(left);
}

}  // namespace kata
