#pragma once

#include "base/unique_fd.h"
#include "runtime/io.h"

namespace kata::shim {

// Appends to a regular file or to a device such as /dev/null, which no event loop can watch: the
// writes happen on a thread of its own.
class FileSink : public runtime::OutputSink {
 public:
  // With `create` a missing file (0644) and its folders (0755) are made.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, bool create);
  Task<Status> write(std::string_view data) override;
  void close() override { fd_.reset(); }

 private:
  explicit FileSink(UniqueFd fd) : fd_(std::make_shared<UniqueFd>(std::move(fd))) {}

  std::shared_ptr<UniqueFd> fd_;  // shared with a write under way
  asio::thread_pool pool_{1};
};

}  // namespace kata::shim
