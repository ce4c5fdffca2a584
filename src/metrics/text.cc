#include "metrics/text.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace kata::metrics {

void Text::family(std::string_view name, std::string_view type, std::string_view help) {
  if (!help.empty()) text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Text::sample(std::string_view name, std::string_view labels, std::string_view value) {
  text_.append(name);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(value).append("\n");
}

void Text::sample(std::string_view name, std::string_view labels, double value) {
  sample(name, labels, number(value));
}

void Text::single(std::string_view name, std::string_view type, std::string_view help,
                  double value) {
  family(name, type, help);
  sample(name, "", value);
}

std::string label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double kExact = 9007199254740992.0;  // whole numbers up to here are exact
  if (std::abs(value) <= kExact && value == std::floor(value)) {
    return std::to_string(static_cast<int64_t>(value));
  }
  // Not std::to_chars: its tables take 100 KB of every guest.
  char text[40];
  for (int digits = 15; digits <= 17; ++digits) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, nullptr) == value) break;
  }
  return text;
}

}  // namespace kata::metrics
