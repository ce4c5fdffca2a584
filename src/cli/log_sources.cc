#include "cli/log_sources.h"

#include <fcntl.h>
#include <sys/klog.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "cli/host.h"

namespace kata::cli {
namespace {

constexpr char kMostLines[] = "1000";
// Of a log file the end is read.
constexpr off_t kMostOfFile = 8 << 20;

Result<std::string> end_of_file(const std::string& path) {
  TRY(UniqueFd fd, open_file(path, O_RDONLY));
  struct stat info {};
  if (fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > kMostOfFile) {
    lseek(fd.get(), info.st_size - kMostOfFile, SEEK_SET);
  }
  // It may grow while it is read.
  return read_fd(fd.get(), 2 * static_cast<size_t>(kMostOfFile));
}

}  // namespace

std::string lines_with(std::string_view text, std::initializer_list<std::string_view> words) {
  auto same = [](char a, char b) {
    return tolower(static_cast<unsigned char>(a)) == tolower(static_cast<unsigned char>(b));
  };
  std::string found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const bool wanted = std::ranges::any_of(words, [&](std::string_view word) {
      return !std::ranges::search(line, word, same).empty();
    });
    if (wanted) found.append(line).append("\n");
  }
  return found;
}

Result<std::string> runtime_log() {
  if (path_exists("/run/systemd/journal")) {
    return output_of({"/usr/bin/journalctl", "-q", "--no-pager", "-t", "kata", "-n", kMostLines,
                      "-o", "short-iso"});
  }
  Result<std::string> text = fail(Code::kNotFound, "neither a journal nor /var/log/syslog");
  for (const char* path : {"/var/log/syslog", "/var/log/messages"}) {
    if (!path_exists(path)) continue;
    text = end_of_file(path);
    if (text) return lines_with(*text, {" kata["});
  }
  return text;
}

Result<std::string> kernel_log() {
  constexpr int kReadAll = 3, kSize = 10;  // SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_SIZE_BUFFER
  const int size = klogctl(kSize, nullptr, 0);
  if (size < 0) return fail_errno("read the kernel's log");
  std::string text(static_cast<size_t>(size), '\0');
  const int length = klogctl(kReadAll, text.data(), size);
  if (length < 0) return fail_errno("read the kernel's log");
  text.resize(static_cast<size_t>(length));
  return lines_with(text, {"kvm", "vhost", "vfio", "vsock", "virtio", "qemu", "kata", "oom-kill",
                           "out of memory", "iommu"});
}

}  // namespace kata::cli
