#pragma once

#include <functional>
#include <string>

#include "http/request.h"

namespace kata::http {

// A request to a unix socket whose other end is not trusted.
struct Ask {
  std::string socket;
  std::string target;  // "/metrics"
  std::string method = "GET";
  std::string body;  // of methods other than GET
  Clock::duration limit = 3s;
  size_t max_body = 16 << 20;
};

// Hands the body over in pieces of at most 16 KiB, in order, and comes back with the status once it
// is complete: not before its Content-Length, when there is one. Of an answer that is not 200 the
// body is handed over, too. kUnavailable when nobody answers or the end is missing,
// kDeadlineExceeded, kResourceExhausted, kInternal for an answer that is no HTTP.
Task<Result<int>> ask(Ask request, std::function<Status(std::string_view)> sink);

// The whole body of an answer with status 200; of another one an error with its first line.
Task<Result<std::string>> ask_text(Ask request);

}  // namespace kata::http
