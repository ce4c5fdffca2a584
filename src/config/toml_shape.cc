#include "config/toml_shape.h"

#include <algorithm>

#include "config/origin.h"

namespace kata::config {
namespace {

constexpr int kMaxDots = 100;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Status run() {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        // The parser stops with an error of its own where a string is broken.
        if (!skip_string(c)) return {};
      } else {
        TRY_STATUS(plain(c));
        ++at_;
      }
    }
    return {};
  }

 private:
  Status plain(char c) {
    if (c == '\n') ++line_;
    if (c == '.' && ++dots_ > kMaxDots) return refuse("key with more than 100 parts");
    if (std::string_view("\n[]{}=,").find(c) != std::string_view::npos) dots_ = 0;
    return {};
  }

  // Moves behind the closing quotes; false when there are none.
  bool skip_string(char quote) {
    const std::string triple(3, quote);
    const bool many_lines = text_.substr(at_).starts_with(triple);
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        if (!many_lines) return false;
        ++line_;
      }
      if (c == '\\' && quote == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++line_;
        at_ += 2;
      } else if (c != quote) {
        ++at_;
      } else if (!many_lines) {
        ++at_;
        return true;
      } else if (text_.substr(at_).starts_with(triple)) {
        at_ += 3;
        // Up to two quotes may stand right before the closing three.
        for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
        return true;
      } else {
        ++at_;
      }
    }
    return false;
  }

  std::unexpected<Error> refuse(const std::string& why) const {
    return fail(Code::kInvalidArgument, Origin{file_, line_}.text() + ": " + why);
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
  int line_ = 1;
  int dots_ = 0;
};

}  // namespace

Status check_toml_shape(std::string_view text, const std::string& file) {
  return Scanner(text, file).run();
}

}  // namespace kata::config
