#include "agent/stdio/output_stream.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace kata::agent {
namespace {

// Larger replies would need fresh pages for every call.
constexpr size_t kMaxRead = 256 << 10;
constexpr size_t kSmallRead = 4096;
// What a process wrote to its pty reaches the master through a kernel work queue, so the end of the
// process does not mean that the master has it all.
constexpr auto kTerminalGrace = 500ms;

// One read(2) into a string of the size of what is there, not zeroed first, behind `room` bytes.
ssize_t read_into(int fd, size_t limit, size_t room, std::string* data) {
  ssize_t n = -1;
  int available = 0;
  if (ioctl(fd, FIONREAD, &available) < 0) available = 0;
  limit = std::min(limit, std::max(static_cast<size_t>(available), kSmallRead));
  // Not the lambda's second argument: libstdc++ 12.2 puts the capacity there.
  data->resize_and_overwrite(room + limit, [&n, fd, limit, room](char* buffer, size_t) {
    std::fill_n(buffer, room, '\0');
    n = ::read(fd, buffer + room, limit);
    return room + (n < 0 ? size_t{0} : static_cast<size_t>(n));
  });
  return n;
}

}  // namespace

Result<std::shared_ptr<OutputStream>> OutputStream::create(asio::any_io_executor executor,
                                                           UniqueFd fd, bool is_terminal) {
  asio::posix::stream_descriptor descriptor(executor);
  boost::system::error_code error;
  descriptor.assign(fd.get(), error);
  if (error) return fail_errno("watch output", error.value());
  [[maybe_unused]] int owned = fd.release();
  descriptor.non_blocking(true, error);
  if (error) return fail_errno("output non-blocking", error.value());
  return std::shared_ptr<OutputStream>(new OutputStream(std::move(descriptor), is_terminal));
}

Task<Result<std::string>> OutputStream::read(size_t limit,
                                             std::shared_ptr<const ttrpc::Caller> caller,
                                             size_t room) {
  auto self = shared_from_this();
  limit = std::clamp<size_t>(limit, 1, kMaxRead);
  while (true) {
    if (caller && caller->gone()) co_return fail(Code::kCanceled, "nobody waits for the output");
    // Asked before the read: whatever the process wrote is in the pipe by then.
    bool last_look = process_ended_;
    int problem = 0;
    {
      // Gone before the wait: an idle reader must not hold a buffer.
      std::string data;
      ssize_t n = read_into(descriptor_.native_handle(), limit, room, &data);
      problem = errno;
      if (n >= 0) co_return data;
    }
    if (problem == EINTR) continue;
    // The master of a pty reports the last close of the other side as EIO.
    if (problem == EIO && is_terminal_) co_return std::string(room, '\0');
    if (problem != EAGAIN) co_return fail_errno("read output", problem);
    if (last_look && !is_terminal_) co_return std::string(room, '\0');
    bool more = co_await wait_for_data();
    if (!more) co_return std::string(room, '\0');
  }
}

// False when the stream is over: a terminal stayed silent for the grace time after the end.
Task<bool> OutputStream::wait_for_data() {
  if (!process_ended_) {
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
    co_return true;
  }
  asio::steady_timer timer(co_await asio::this_coro::executor, kTerminalGrace);
  auto expired = std::make_shared<bool>(false);
  timer.async_wait([self = shared_from_this(), expired](boost::system::error_code cancelled) {
    if (cancelled) return;
    *expired = true;
    self->descriptor_.cancel(cancelled);
  });
  co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
  co_return !*expired;
}

void OutputStream::process_ended() {
  process_ended_ = true;
  wake();
}

void OutputStream::wake() {
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

}  // namespace kata::agent
