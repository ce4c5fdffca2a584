#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kata::cli {

// A report for others to read: markdown, without secrets (mask.h), of bounded size.
class SupportReport {
 public:
  static constexpr size_t kMostOfSection = 128 << 10;
  static constexpr size_t kMostOfAll = 2 << 20;

  explicit SupportReport(std::string_view title);
  // "## TITLE"
  void chapter(std::string_view title);
  // "### TITLE" and the text as it is; of a longer one the end is kept. "Nothing." for an empty
  // one.
  void section(std::string_view title, std::string_view text);
  // The same, or why there is no text.
  void section_of(std::string_view title, const Result<std::string>& text);

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace kata::cli
