#include "agent/stdio/input_stream.h"

#include <unistd.h>

#include <string_view>

namespace kata::agent {

Result<std::shared_ptr<InputStream>> InputStream::create(asio::any_io_executor executor,
                                                         UniqueFd fd) {
  asio::posix::stream_descriptor descriptor(executor);
  boost::system::error_code error;
  descriptor.assign(fd.get(), error);
  if (error) return fail_errno("watch input", error.value());
  [[maybe_unused]] int owned = fd.release();
  descriptor.non_blocking(true, error);
  if (error) return fail_errno("input non-blocking", error.value());
  return std::shared_ptr<InputStream>(new InputStream(std::move(descriptor)));
}

Task<Status> InputStream::write(std::string data) {
  auto self = shared_from_this();
  auto turn = co_await order_.lock();
  std::string_view rest = data;
  while (!rest.empty()) {
    if (!descriptor_.is_open()) co_return fail(Code::kFailedPrecondition, "stdin is closed");
    ssize_t n = ::write(descriptor_.native_handle(), rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return fail_errno("write stdin");
    if (process_ended_) co_return fail_errno("write stdin", EPIPE);
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_write, use_tuple);
  }
  co_return Status{};
}

Task<> InputStream::close() {
  auto self = shared_from_this();
  auto turn = co_await order_.lock();
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

void InputStream::process_ended() {
  process_ended_ = true;
  boost::system::error_code ignored;
  if (descriptor_.is_open()) descriptor_.cancel(ignored);
}

}  // namespace kata::agent
