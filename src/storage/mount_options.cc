#include "storage/mount_options.h"

#include <sys/mount.h>

namespace kata::storage {

namespace {

struct FlagWord {
  std::string_view word;
  unsigned long set;
  unsigned long clear;
};

constexpr unsigned long kAtime = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

// mount(8), "filesystem-independent mount options".
constexpr FlagWord kFlagWords[] = {
    {"defaults", 0, 0},
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS, 0},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC, 0},
    {"noatime", MS_NOATIME, kAtime},
    {"atime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"diratime", 0, MS_NODIRATIME},
    {"relatime", MS_RELATIME, kAtime},
    {"norelatime", 0, MS_RELATIME},
    {"strictatime", MS_STRICTATIME, kAtime},
    {"nostrictatime", 0, MS_STRICTATIME},
    {"bind", MS_BIND, 0},
    {"rbind", MS_BIND, 0},
    // The root is private whatever is asked for: its mount events are nobody else's business.
    {"private", 0, 0},
    {"rprivate", 0, 0},
    {"slave", 0, 0},
    {"rslave", 0, 0},
    {"shared", 0, 0},
    {"rshared", 0, 0},
};

const FlagWord* find_flag(std::string_view word) {
  for (const auto& flag : kFlagWords) {
    if (flag.word == word) return &flag;
  }
  return nullptr;
}

}  // namespace

Result<MountOptions> parse_mount_options(const std::vector<std::string>& options) {
  MountOptions parsed;
  for (const auto& option : options) {
    if (option == "loop" || option.starts_with("loop=") ||
        option.starts_with("io.katacontainers.")) {
      return fail(Code::kUnimplemented,
                  "mount option " + option.substr(0, 64) + " is not supported");
    }
    if (const FlagWord* flag = find_flag(option)) {
      parsed.flags = (parsed.flags & ~flag->clear) | flag->set;
      if (option == "rbind") parsed.recursive = true;
    } else if (option.starts_with("uidmap=")) {
      TRY(parsed.ids.uids, parse_id_mappings(std::string_view(option).substr(7)));
    } else if (option.starts_with("gidmap=")) {
      TRY(parsed.ids.gids, parse_id_mappings(std::string_view(option).substr(7)));
    } else if (!option.empty()) {
      parsed.data.push_back(option);
    }
  }
  return parsed;
}

}  // namespace kata::storage
