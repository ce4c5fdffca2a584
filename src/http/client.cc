#include "http/client.h"

#include <array>
#include <charconv>

#include "base/deadline.h"
#include "base/utf8.h"
#include "ttrpc/transport.h"

namespace kata::http {

namespace {

// What an error keeps of the other end's reason.
constexpr size_t kMaxReason = 1000;

// 1.0, so that nobody answers in chunks.
std::string text_of(const Ask& request) {
  std::string text =
      request.method + " " + request.target + " HTTP/1.0\r\nHost: shim\r\nAccept: text/plain\r\n";
  if (request.method != "GET") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

struct Head {
  int status = 0;
  bool has_length = false;
  size_t length = 0;
};

Result<Head> parse_answer(std::string_view text, size_t max_body) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  text.remove_prefix(std::min(text.size(), text.find('\n')));
  if (!text.empty()) text.remove_prefix(1);
  Head head;
  if (!line.starts_with("HTTP/1.") || line.size() < 12) {
    return fail(Code::kInternal, "the answer is no HTTP");
  }
  const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
  if (error != std::errc() || head.status < 100) {
    return fail(Code::kInternal, "the answer has no status");
  }
  TRY(auto headers, parse_headers(text));
  head.has_length = headers.contains("content-length");
  TRY(head.length, body_length(headers, max_body));
  return head;
}

// Reads the answer; `sink` and `stream` outlive it.
Task<Result<int>> read_answer(Stream& stream, size_t max_body,
                              const std::function<Status(std::string_view)>& sink) {
  std::string text;
  std::array<char, 16 << 10> piece;
  Head head;
  size_t taken = 0;
  while (true) {
    auto [error, n] = co_await stream.async_receive(asio::buffer(piece), use_tuple);
    if (error && error != asio::error::eof) {
      co_return fail(Code::kUnavailable, "read the answer: " + error.message());
    }
    if (error || n == 0) break;
    std::string_view data(piece.data(), n);
    if (head.status == 0) {
      text.append(data);
      const size_t end = text.find("\r\n\r\n");
      if (end == std::string::npos && text.size() <= kMaxHead) continue;
      if (end == std::string::npos || end > kMaxHead) {
        co_return fail(Code::kInternal, "the answer's head is too long");
      }
      CO_TRY(head, parse_answer(std::string_view(text).substr(0, end), max_body));
      data = std::string_view(text).substr(end + 4);
    }
    if (data.size() > max_body - taken) {
      co_return fail(Code::kResourceExhausted, "the answer is too long");
    }
    if (head.has_length) data = data.substr(0, head.length - taken);
    taken += data.size();
    if (!data.empty()) CO_TRY_STATUS(sink(data));
    if (head.has_length && taken == head.length) break;
  }
  if (head.status == 0 || (head.has_length && taken < head.length)) {
    co_return fail(Code::kUnavailable, "the answer breaks off");
  }
  co_return head.status;
}

}  // namespace

Task<Result<int>> ask(Ask request, std::function<Status(std::string_view)> sink) {
  CO_TRY(Stream stream, co_await ttrpc::connect_unix(request.socket));
  Deadline deadline(stream.get_executor(), request.limit, [&stream] {
    boost::system::error_code ignored;
    stream.close(ignored);
  });
  const std::string text = text_of(request);
  auto [error, n] = co_await asio::async_write(stream, asio::buffer(text), use_tuple);
  Result<int> status = fail(Code::kUnavailable, "send the request: " + error.message());
  if (!error) status = co_await read_answer(stream, request.max_body, sink);
  if (deadline.expired()) co_return fail(Code::kDeadlineExceeded, "no whole answer in time");
  co_return status;
}

Task<Result<std::string>> ask_text(Ask request) {
  std::string text;
  const std::string target = request.target;
  // A local of this coroutine, which is there until the end.
  auto add = [&text](std::string_view piece) -> Status {
    text.append(piece);
    return {};
  };
  auto answered = co_await ask(std::move(request), add);
  CO_TRY(const int status, std::move(answered));
  if (status == 200) co_return text;
  const Code code = status == 404   ? Code::kNotFound
                    : status == 501 ? Code::kUnimplemented
                                    : Code::kUnavailable;
  const std::string_view line = std::string_view(text).substr(0, text.find('\n'));
  co_return fail(
      code, target + ": " + std::to_string(status) + " " + printable(cut_text(line, kMaxReason)));
}

}  // namespace kata::http
