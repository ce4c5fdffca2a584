#include "cli/sent_file.h"

#include <unistd.h>

#include "base/file.h"

namespace kata::cli {
namespace {

constexpr size_t kMost = 1 << 20;

}  // namespace

Result<std::string> read_sent_file(const std::string& path) {
  return path == "-" ? in_step("stdin", read_fd(STDIN_FILENO, kMost)) : read_file(path, kMost);
}

}  // namespace kata::cli
