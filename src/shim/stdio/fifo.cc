#include "shim/stdio/fifo.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace kata::shim {

namespace {

using Descriptor = asio::posix::stream_descriptor;

Result<Descriptor> watch(asio::any_io_executor executor, UniqueFd fd) {
  Descriptor descriptor(executor);
  boost::system::error_code error;
  descriptor.assign(fd.get(), error);
  if (error) return fail_errno("watch fifo", error.value());
  [[maybe_unused]] int owned = fd.release();
  return descriptor;
}

Result<UniqueFd> open_fifo(const std::string& path, int flags) {
  TRY(UniqueFd fd, open_file(path, flags | O_NONBLOCK));
  struct stat info {};
  if (fstat(fd.get(), &info) < 0) return fail_errno("stat " + path);
  if (!S_ISFIFO(info.st_mode)) return fail(Code::kInvalidArgument, path + " is not a fifo");
  return fd;
}

// What lies in the pipe now; EAGAIN as error when nothing does. The buffer is as long as the data:
// an idle stream must not cost a buffer.
Result<std::string> read_available(int fd, size_t max) {
  int waiting = 0;
  if (ioctl(fd, FIONREAD, &waiting) < 0) return fail_errno("size of what is in the fifo");
  // One byte more tells "nothing yet" from the end.
  std::string data(std::min(max, static_cast<size_t>(std::max(waiting, 1))), '\0');
  ssize_t n;
  do {
    n = ::read(fd, data.data(), data.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno("read fifo");
  data.resize(static_cast<size_t>(n));
  return data;
}

}  // namespace

Result<std::unique_ptr<FifoSink>> FifoSink::adopt(asio::any_io_executor executor, UniqueFd fd) {
  TRY(Descriptor pipe, watch(executor, std::move(fd)));
  return std::unique_ptr<FifoSink>(new FifoSink(std::move(pipe)));
}

Result<std::unique_ptr<FifoSink>> FifoSink::open(asio::any_io_executor executor,
                                                 const std::string& path) {
  TRY(UniqueFd fd, open_fifo(path, O_RDWR));
  return adopt(executor, std::move(fd));
}

Task<Status> FifoSink::write(std::string_view data) {
  auto [error, n] = co_await asio::async_write(pipe_, asio::buffer(data), use_tuple);
  if (error) co_return fail_errno("write to fifo", error.value());
  co_return Status{};
}

void FifoSink::close() {
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

Result<std::unique_ptr<FifoSource>> FifoSource::open(asio::any_io_executor executor,
                                                     const std::string& path) {
  TRY(UniqueFd reader, open_fifo(path, O_RDONLY));
  TRY(UniqueFd writer, open_fifo(path, O_WRONLY));
  TRY(Descriptor pipe, watch(executor, std::move(reader)));
  return std::unique_ptr<FifoSource>(new FifoSource(std::move(pipe), std::move(writer)));
}

Task<Result<std::string>> FifoSource::read(size_t max) {
  while (true) {
    if (!pipe_.is_open()) co_return std::string();
    auto data = read_available(pipe_.native_handle(), max);
    if (data || data.error().sys_errno() != EAGAIN) co_return data;
    if (!writer_) co_return std::string();
    // Cancelled by close_writer() and close(); the next round sees what they changed.
    co_await pipe_.async_wait(Descriptor::wait_read, use_tuple);
  }
}

void FifoSource::close_writer() {
  writer_.reset();
  boost::system::error_code ignored;
  pipe_.cancel(ignored);
}

void FifoSource::close() {
  writer_.reset();
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

}  // namespace kata::shim
