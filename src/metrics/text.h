#pragma once

#include <string>
#include <string_view>
#include <utility>

// Figures as Prometheus text, format 0.0.4.
namespace kata::metrics {

inline constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

class Text {
 public:
  // Begins a family; its samples follow. The help text may be empty.
  void family(std::string_view name, std::string_view type, std::string_view help);
  // `labels` without braces, for example `item="load1"`.
  void sample(std::string_view name, std::string_view labels, std::string_view value);
  void sample(std::string_view name, std::string_view labels, double value);
  // A family of one sample without labels.
  void single(std::string_view name, std::string_view type, std::string_view help, double value);
  void append(std::string_view lines) { text_ += lines; }
  size_t size() const { return text_.size(); }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

// Label value with quotes, backslashes and newlines escaped, in its quotes: `item="x"`.
std::string label(std::string_view name, std::string_view value);
// The shortest text that reads as the same number.
std::string number(double value);

}  // namespace kata::metrics
