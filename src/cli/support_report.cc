#include "cli/support_report.h"

#include <algorithm>

#include "base/utf8.h"
#include "cli/mask.h"

namespace kata::cli {
namespace {

// A fence that the text cannot close.
std::string fence_for(std::string_view text) {
  size_t longest = 2, run = 0;
  for (char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return std::string(longest + 1, '`');
}

// Whole lines from the end.
std::string_view end_of(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  text.remove_prefix(text.size() - most);
  const size_t line = text.find('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

}  // namespace

SupportReport::SupportReport(std::string_view title) : text_("# " + std::string(title) + "\n") {}

void SupportReport::chapter(std::string_view title) {
  text_ += "\n## " + std::string(title) + "\n";
}

void SupportReport::section(std::string_view title, std::string_view text) {
  text_ += "\n### " + printable(title) + "\n\n";
  if (text.empty()) {
    text_ += "Nothing.\n";
    return;
  }
  const size_t room = kMostOfAll - std::min(kMostOfAll, text_.size());
  // Masked as a whole: the end alone may lack the name that a secret belongs to.
  const std::string whole = printable(mask_secrets(text));
  const std::string_view shown = end_of(whole, std::min(kMostOfSection, room));
  if (shown.size() < whole.size()) {
    text_ += "The last " + std::to_string(shown.size()) + " of " + std::to_string(whole.size()) +
             " bytes:\n\n";
  }
  const std::string fence = fence_for(shown);
  text_ += fence + "\n";
  text_ += shown;
  if (!shown.ends_with('\n')) text_ += "\n";
  text_ += fence + "\n";
}

void SupportReport::section_of(std::string_view title, const Result<std::string>& text) {
  if (text) return section(title, *text);
  text_ += "\n### " + printable(title) +
           "\n\nNot available: " + printable(mask_secrets(text.error().message())) + "\n";
}

}  // namespace kata::cli
