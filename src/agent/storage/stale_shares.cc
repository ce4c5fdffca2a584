#include "agent/storage/stale_shares.h"

#include <sys/stat.h>

#include "agent/storage/mounting.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

// Undoes the octal escapes of /proc/self/mountinfo (\040 for a space).
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 3 >= text.size()) {
      out += text[i];
      continue;
    }
    out +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
    i += 3;
  }
  return out;
}

}  // namespace

void touch_share_mounts(const std::string& shared_dir) {
  auto table = read_file("/proc/self/mountinfo");
  if (!table) {
    log::failure("stale shares", table.error());
    return;
  }
  std::string_view rest = *table;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    size_t at = line.find(" " + shared_dir + "/");
    if (at == std::string_view::npos) continue;
    std::string_view field = line.substr(at + 1);
    std::string path = unescape(field.substr(0, field.find(' ')));
    struct stat info {};
    if (stat(path.c_str(), &info) == 0 || (errno != ESTALE && errno != ENOENT)) continue;
    if (auto gone = unmount_storage(path); !gone) log::failure("stale share", gone.error());
  }
}

}  // namespace kata::agent
