#include "http/request.h"

#include <algorithm>
#include <charconv>

namespace kata::http {

namespace {

Result<Request> bad(const char* what) {
  return fail(Code::kInvalidArgument, what);
}

// RFC 9110 section 5.6.2: a token.
bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return isalnum(static_cast<unsigned char>(c)) != 0 || kOthers.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Takes a line off the front; CR LF or, as of old, LF alone.
std::string_view take_line(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool parse_query(std::string_view text, std::map<std::string, std::string>* query) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string key, value;
    if (!decode_percent(pair.substr(0, equals), true, &key)) return false;
    if (equals != std::string_view::npos &&
        !decode_percent(pair.substr(equals + 1), true, &value)) {
      return false;
    }
    query->emplace(std::move(key), std::move(value));
  }
  return true;
}

// "/path?query", or the absolute form that proxies send.
bool parse_target(std::string_view target, Request* request) {
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {
    target.remove_prefix(kScheme.size());
    target.remove_prefix(std::min(target.size(), target.find_first_of("/?")));
    if (target.empty()) target = "/";
  }
  if (!target.starts_with('/')) return false;
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  if (!decode_percent(target.substr(0, question), false, &request->path)) return false;
  return question == std::string_view::npos ||
         parse_query(target.substr(question + 1), &request->query);
}

// Up to and with the blank line; what was read beyond it goes to `rest`.
Task<Result<std::string>> read_head(Stream& stream, std::string* rest) {
  std::string text;
  while (true) {
    char piece[2048];
    auto [error, n] = co_await stream.async_receive(asio::buffer(piece), use_tuple);
    if (error || n == 0) co_return fail(Code::kUnavailable, "the peer hung up");
    const size_t from = text.size() < 3 ? 0 : text.size() - 3;
    text.append(piece, n);
    size_t end = text.find("\r\n\r\n", from), length = 4;
    if (const size_t bare = text.find("\n\n", from); bare < end) {
      end = bare;
      length = 2;
    }
    if (end != std::string::npos && end <= kMaxHead) {
      *rest = text.substr(end + length);
      text.resize(end);
      co_return text;
    }
    if (text.size() > kMaxHead) co_return fail(Code::kResourceExhausted, "request head too long");
  }
}

const std::string& find_or_empty(const std::map<std::string, std::string>& map,
                                 const std::string& key) {
  static const std::string kEmpty;
  auto found = map.find(key);
  return found == map.end() ? kEmpty : found->second;
}

}  // namespace

const std::string& Request::header(const std::string& name) const {
  return find_or_empty(headers, name);
}

const std::string& Request::parameter(const std::string& name) const {
  return find_or_empty(query, name);
}

bool decode_percent(std::string_view text, bool plus_is_blank, std::string* decoded) {
  decoded->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '%') {
      if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return false;
      *decoded += c == '+' && plus_is_blank ? ' ' : c;
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2 || value == 0) {
      return false;
    }
    *decoded += static_cast<char>(value);
    i += 2;
  }
  return true;
}

std::string encode_percent(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~' || c == '/') {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

Result<std::map<std::string, std::string>> parse_headers(std::string_view lines) {
  std::map<std::string, std::string> headers;
  for (size_t count = 0; !lines.empty(); ++count) {
    if (count == kMaxHeaders) return fail(Code::kResourceExhausted, "too many headers");
    const std::string_view line = take_line(&lines);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return fail(Code::kInvalidArgument, "malformed header");
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (value.find('\0') != std::string_view::npos || value.find('\r') != std::string_view::npos) {
      return fail(Code::kInvalidArgument, "malformed header");
    }
    headers.emplace(lower(line.substr(0, colon)), value);
  }
  return headers;
}

Result<Request> parse_head(std::string_view head) {
  const std::string_view line = take_line(&head);
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("malformed request line");
  Request request;
  request.method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(request.method)) return bad("malformed method");
  if (!version.starts_with("HTTP/")) return bad("malformed request line");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return fail(Code::kUnimplemented, "only HTTP/1.1 is spoken here");
  }
  request.old = version == "HTTP/1.0";
  if (!parse_target(line.substr(first + 1, last - first - 1), &request)) {
    return bad("malformed target");
  }
  TRY(request.headers, parse_headers(head));
  return request;
}

Result<size_t> body_length(const std::map<std::string, std::string>& headers, size_t limit) {
  if (headers.contains("transfer-encoding")) {
    return fail(Code::kUnimplemented, "transfer encodings are not taken; send Content-Length");
  }
  const std::string& text = find_or_empty(headers, "content-length");
  if (text.empty()) return 0;
  size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error == std::errc::result_out_of_range || (error == std::errc() && length > limit)) {
    return fail(Code::kResourceExhausted,
                "more than " + std::to_string(limit) + " bytes are not taken");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalidArgument, "malformed Content-Length");
  }
  return length;
}

Task<Result<Request>> read_request(Stream& stream, size_t max_body) {
  std::string rest;
  CO_TRY(std::string head, co_await read_head(stream, &rest));
  CO_TRY(Request request, parse_head(head));
  CO_TRY(const size_t length, body_length(request.headers, max_body));
  if (rest.size() > length) {
    co_return fail(Code::kInvalidArgument, "more than one request on a connection");
  }
  request.body = std::move(rest);
  const size_t have = request.body.size();
  request.body.resize(length);
  if (have < length) {
    auto [error, n] = co_await asio::async_read(
        stream, asio::buffer(request.body.data() + have, length - have), use_tuple);
    if (error) co_return fail(Code::kUnavailable, "the peer hung up");
  }
  co_return request;
}

}  // namespace kata::http
