#include "agent/container/words.h"

#include <charconv>
#include <cstring>

namespace kata::agent {

std::string errno_text(int number) {
  const char* text = strerrordesc_np(number);
  if (!text) return "errno " + std::to_string(number);
  std::string lower = text;
  // Only the first letter: "Input/output error", but not abbreviations such as "RFS".
  if (lower.size() > 1 && lower[0] >= 'A' && lower[0] <= 'Z' &&
      !(lower[1] >= 'A' && lower[1] <= 'Z')) {
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
  }
  return lower;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else {
      kept.push_back(part);
    }
  }
  std::string out;
  for (std::string_view part : kept) {
    out += '/';
    out += part;
  }
  return out.empty() ? "/" : out;
}

bool parse_u64(std::string_view text, uint64_t* value) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace kata::agent
