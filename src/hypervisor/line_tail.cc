#include "hypervisor/line_tail.h"

#include <fcntl.h>

#include <algorithm>

namespace kata::hypervisor {

void LineTail::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  for (char c : bytes) {
    if (c == '\n') {
      finish_line();
    } else if (c != '\r' && current_.size() < kMaxLine) {
      current_.push_back(c == '\t' ? ' ' : (c >= 0x20 && c < 0x7f ? c : '?'));
    }
  }
}

void LineTail::finish_line() {
  if (on_line_ && !current_.empty()) on_line_(current_);
  if (!current_.empty()) lines_.push_back(std::move(current_));
  current_.clear();
  if (lines_.size() > kMaxLines) lines_.pop_front();
}

std::string LineTail::text(size_t lines) const {
  std::string out;
  size_t whole = std::min(lines, lines_.size());
  for (size_t i = lines_.size() - whole; i < lines_.size(); ++i) {
    if (!out.empty()) out.push_back('\n');
    out.append(lines_[i], 0, kMaxShown);
  }
  if (!current_.empty()) {
    if (!out.empty()) out.push_back('\n');
    out.append(current_, 0, kMaxShown);
  }
  return out;
}

Task<> read_into_tail(UniqueFd fd, std::shared_ptr<LineTail> tail) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  asio::posix::stream_descriptor stream(co_await asio::this_coro::executor);
  boost::system::error_code failed;
  stream.assign(fd.get(), failed);
  if (failed) co_return;
  [[maybe_unused]] int owned_by_stream = fd.release();
  char buffer[4096];
  for (;;) {
    auto [error, size] = co_await stream.async_read_some(asio::buffer(buffer), use_tuple);
    if (error) co_return;
    tail->feed({buffer, size});
  }
}

}  // namespace kata::hypervisor
