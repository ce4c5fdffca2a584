#pragma once

#include <string>
#include <string_view>
#include <vector>

// Small text helpers of the container code.
namespace kata::agent {

// Splits at every `separator`; empty parts are kept.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// strerror in the lower-case form in which container runtimes show it; clients match on it.
std::string errno_text(int number);

// "/a//b/../c" -> "/a/c": lexical, always absolute, no trailing slash except for "/".
std::string clean_path(std::string_view path);

// Lower-level form of an integer that the kernel or a spec wrote; false when it is not one.
bool parse_u64(std::string_view text, uint64_t* value);

}  // namespace kata::agent
