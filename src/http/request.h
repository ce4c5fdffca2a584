#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ttrpc/frame.h"

// What we read of HTTP/1.1 (RFC 9112): one request per connection, everything bounded. Whoever
// sends it is not trusted.
namespace kata::http {

// A connected stream socket, unix or TCP.
using Stream = ttrpc::Stream;

inline constexpr size_t kMaxHead = 8 << 10;
inline constexpr size_t kMaxHeaders = 64;

struct Request {
  std::string method;                          // as sent: "GET"
  std::string path;                            // decoded, begins with '/'
  std::map<std::string, std::string> query;    // decoded; of a repeated key the first
  std::map<std::string, std::string> headers;  // names in lower case; of a repeated one the first
  bool old = false;                            // HTTP/1.0
  std::string body;

  // Empty when absent.
  const std::string& header(const std::string& name) const;
  const std::string& parameter(const std::string& name) const;
};

// The head of a request, without the blank line that ends it. kInvalidArgument when it is not
// well-formed, kUnimplemented for other versions of HTTP.
Result<Request> parse_head(std::string_view head);

// Reads a request with a body of at most `max_body` bytes. kInvalidArgument, kUnimplemented (also
// for a chunked body), kResourceExhausted, or kUnavailable when the peer hung up first.
Task<Result<Request>> read_request(Stream& stream, size_t max_body);

// %XX, and '+' for a blank, undone. False when it is not well-formed.
bool decode_percent(std::string_view text, bool plus_is_blank, std::string* decoded);
// The other way round: what is safe inside of a query stays as it is.
std::string encode_percent(std::string_view text);

// "Name: value" lines up to the end of `head`; names in lower case. Shared with the client.
Result<std::map<std::string, std::string>> parse_headers(std::string_view lines);
// Value of Content-Length: digits only, no more than `limit`.
Result<size_t> body_length(const std::map<std::string, std::string>& headers, size_t limit);

}  // namespace kata::http
