#pragma once

#include "runtime/io.h"

namespace kata::shim {

// Input of a process that gets none: ends at once, as /dev/null does.
class EmptySource : public runtime::InputSource {
 public:
  Task<Result<std::string>> read(size_t) override { co_return std::string(); }
  void close_writer() override {}
  void close() override {}
};

}  // namespace kata::shim
