#include "base/utf8.h"

#include <algorithm>
#include <cstdio>

namespace kata {

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  unsigned char lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                  : lead >= 0xe0 && lead < 0xf0 ? 3
                  : lead >= 0xf0 && lead < 0xf5 ? 4
                                                : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  unsigned char second = static_cast<unsigned char>(text[1]);
  bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t length = utf8_length(text);
    out += length > 0 ? text.substr(0, length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20 || first == 0x7f) return true;
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

std::string printable(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text.substr(at));
    const std::string_view character = text.substr(at, length ? length : 1);
    if (character == "\n" || character == "\t" || (length && !is_control(character))) {
      out += character;
    } else {
      for (unsigned char byte : character) {
        char hex[8];
        snprintf(hex, sizeof hex, "\\x%02x", byte);
        out += hex;
      }
    }
    at += character.size();
  }
  return out;
}

std::string_view cut_text(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  // Back over at most three bytes that continue a character.
  size_t end = limit;
  while (end > 0 && limit - end < 3 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace kata
