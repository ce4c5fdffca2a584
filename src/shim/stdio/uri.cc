#include "shim/stdio/uri.h"

#include <algorithm>

namespace kata::shim {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return fail(Code::kInvalidArgument, "broken escape in \"" + std::string(text) + "\"");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Status parse_query(std::string_view text, StdioUri* uri) {
  while (!text.empty()) {
    size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    TRY(std::string key, percent_decode(pair.substr(0, equals), true));
    TRY(std::string value,
        percent_decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view(), true));
    if (std::ranges::find(uri->query, key, &std::pair<std::string, std::string>::first) ==
        uri->query.end()) {
      uri->query.emplace_back(std::move(key), std::move(value));
    }
  }
  return {};
}

Result<StdioUri::Scheme> scheme_of(std::string_view word) {
  if (word == "fifo") return StdioUri::Scheme::kFifo;
  if (word == "file") return StdioUri::Scheme::kFile;
  if (word == "binary") return StdioUri::Scheme::kBinary;
  if (word == "binary-v2") return StdioUri::Scheme::kBinaryV2;
  return fail(Code::kUnimplemented, "stdio scheme \"" + std::string(word) + "\" is not supported");
}

}  // namespace

Result<StdioUri> parse_stdio_uri(std::string_view value) {
  StdioUri uri;
  if (value.empty()) return uri;
  size_t separator = value.find("://");
  if (separator == std::string_view::npos) {
    uri.scheme = StdioUri::Scheme::kFifo;
    uri.path = value;
  } else {
    TRY(uri.scheme, scheme_of(value.substr(0, separator)));
    std::string_view rest = value.substr(separator + 3);
    size_t question = std::min(rest.find('?'), rest.size());
    TRY(uri.path, percent_decode(rest.substr(0, question), false));
    if (question < rest.size()) TRY_STATUS(parse_query(rest.substr(question + 1), &uri));
  }
  if (uri.path.empty() || uri.path.front() != '/') {
    return fail(Code::kInvalidArgument,
                "stdio path \"" + std::string(value) + "\" is not absolute");
  }
  return uri;
}

}  // namespace kata::shim
