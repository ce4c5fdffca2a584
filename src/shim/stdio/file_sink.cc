#include "shim/stdio/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"

namespace kata::shim {

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, bool create) {
  if (create) {
    TRY_STATUS(make_dirs(dirname(path), 0755));
  }
  // Non-blocking while it is not known what it is: a fifo without a reader would stop the shim.
  const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | (create ? O_CREAT : 0);
  TRY(UniqueFd fd, open_file(path, flags, 0644));
  struct stat info {};
  if (fstat(fd.get(), &info) < 0) return fail_errno("stat " + path);
  if (S_ISFIFO(info.st_mode)) return fail(Code::kInvalidArgument, path + " is a fifo, not a file");
  if (fcntl(fd.get(), F_SETFL, O_APPEND) < 0) return fail_errno("make blocking: " + path);
  return std::unique_ptr<FileSink>(new FileSink(std::move(fd)));
}

Task<Status> FileSink::write(std::string_view data) {
  auto keep = fd_;
  if (!keep) co_return fail(Code::kCanceled, "the file is closed");
  // g++ 12 destroys what a lambda in an awaited expression owns twice: capture plain values only.
  const int fd = keep->get();
  auto append = [fd, data] { return write_all(fd, data); };
  co_return co_await offload(pool_, append);
}

}  // namespace kata::shim
