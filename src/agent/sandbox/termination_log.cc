#include "agent/sandbox/termination_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path_beneath.h"
#include "base/utf8.h"

namespace kata::agent {
namespace {

constexpr char kAnnotation[] = "io.kubernetes.container.terminationMessagePath";
constexpr size_t kMaxLog = 4096;

// The file is usually a mount of its own, which only the container's namespace shows; its source is
// a path of the guest.
Result<UniqueFd> open_log(const Container& container, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  for (const auto& mount : container.spec().mounts()) {
    if (mount.destination() == path) return open_file(mount.source(), kFlags | O_NOFOLLOW);
  }
  TRY(UniqueFd root, open_file(container.rootfs(), O_PATH | O_DIRECTORY));
  return beneath::open_in_root(root.get(), path, kFlags);
}

}  // namespace

Result<std::string> read_termination_log(const Container& container) {
  auto path = container.spec().annotations().find(kAnnotation);
  if (path == container.spec().annotations().end() || path->second.empty()) {
    return fail(Code::kInvalidArgument, "container names no termination message path");
  }
  auto file = open_log(container, path->second);
  if (!file) {
    if (file.error().code() == Code::kNotFound) return std::string();
    return std::unexpected(std::move(file.error()));
  }
  struct stat info {};
  if (fstat(file->get(), &info) < 0 || !S_ISREG(info.st_mode)) {
    return fail(Code::kFailedPrecondition, "termination message is not a regular file");
  }
  std::string text(kMaxLog, '\0');
  ssize_t n = read(file->get(), text.data(), text.size());
  if (n < 0) return fail_errno("read termination message");
  text.resize(static_cast<size_t>(n));
  return to_valid_utf8(text);
}

}  // namespace kata::agent
