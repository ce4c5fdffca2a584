#include "agent/container/mount_options.h"

#include <sys/mount.h>

#include <array>
#include <string_view>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

namespace kata::agent {
namespace {

struct AttrWord {
  std::string_view word;
  bool clear;
  uint64_t attr;
};

// Each also exists with a leading "r" for the whole tree.
constexpr std::array<AttrWord, 18> kAttrWords = {{{"ro", false, MOUNT_ATTR_RDONLY},
                                                  {"rw", true, MOUNT_ATTR_RDONLY},
                                                  {"nosuid", false, MOUNT_ATTR_NOSUID},
                                                  {"suid", true, MOUNT_ATTR_NOSUID},
                                                  {"nodev", false, MOUNT_ATTR_NODEV},
                                                  {"dev", true, MOUNT_ATTR_NODEV},
                                                  {"noexec", false, MOUNT_ATTR_NOEXEC},
                                                  {"exec", true, MOUNT_ATTR_NOEXEC},
                                                  {"nodiratime", false, MOUNT_ATTR_NODIRATIME},
                                                  {"diratime", true, MOUNT_ATTR_NODIRATIME},
                                                  {"nosymfollow", false, MOUNT_ATTR_NOSYMFOLLOW},
                                                  {"symfollow", true, MOUNT_ATTR_NOSYMFOLLOW},
                                                  {"noatime", false, MOUNT_ATTR_NOATIME},
                                                  {"atime", true, MOUNT_ATTR_NOATIME},
                                                  {"strictatime", false, MOUNT_ATTR_STRICTATIME},
                                                  {"nostrictatime", true, MOUNT_ATTR_STRICTATIME},
                                                  {"relatime", false, MOUNT_ATTR_RELATIME},
                                                  {"norelatime", true, MOUNT_ATTR_RELATIME}}};

struct FlagWord {
  std::string_view word;
  bool clear;
  unsigned long flag;
};

constexpr std::array<FlagWord, 11> kSuperWords = {{{"sync", false, MS_SYNCHRONOUS},
                                                   {"async", true, MS_SYNCHRONOUS},
                                                   {"dirsync", false, MS_DIRSYNC},
                                                   {"mand", false, MS_MANDLOCK},
                                                   {"nomand", true, MS_MANDLOCK},
                                                   {"lazytime", false, MS_LAZYTIME},
                                                   {"nolazytime", true, MS_LAZYTIME},
                                                   {"silent", false, MS_SILENT},
                                                   {"loud", true, MS_SILENT},
                                                   {"iversion", false, MS_I_VERSION},
                                                   {"noiversion", true, MS_I_VERSION}}};

bool is_atime(uint64_t attr) {
  return attr == MOUNT_ATTR_NOATIME || attr == MOUNT_ATTR_STRICTATIME ||
         attr == MOUNT_ATTR_RELATIME;
}

void apply_attr(const AttrWord& word, uint64_t* set, uint64_t* clear) {
  if (is_atime(word.attr) || word.word == "atime") {
    // The access-time modes are one field of the kernel's mask: relatime is its zero.
    *set &= ~static_cast<uint64_t>(MOUNT_ATTR__ATIME);
    *clear |= MOUNT_ATTR__ATIME;
    if (!word.clear) *set |= word.attr;
    return;
  }
  if (word.clear) {
    *set &= ~word.attr;
    *clear |= word.attr;
  } else {
    *set |= word.attr;
    *clear &= ~word.attr;
  }
}

bool take_attr(std::string_view option, MountOptions* out) {
  for (const AttrWord& word : kAttrWords) {
    if (option == word.word) {
      apply_attr(word, &out->attr_set, &out->attr_clear);
      return true;
    }
    // "relatime" is itself a word; only a doubled "r" prefix is the recursive one.
    if (option.size() == word.word.size() + 1 && option[0] == 'r' &&
        option.substr(1) == word.word) {
      apply_attr(word, &out->recursive_set, &out->recursive_clear);
      return true;
    }
  }
  return false;
}

bool take_super_flag(std::string_view option, MountOptions* out) {
  for (const FlagWord& word : kSuperWords) {
    if (option != word.word) continue;
    if (word.clear) {
      out->super_flags &= ~word.flag;
    } else {
      out->super_flags |= word.flag;
    }
    return true;
  }
  return false;
}

bool take_kind(std::string_view option, MountOptions* out) {
  if (option == "bind") {
    out->bind = true;
  } else if (option == "rbind") {
    out->bind = out->recursive_bind = true;
  } else if (option == "remount") {
    out->remount = true;
  } else if (option == "tmpcopyup") {
    out->tmpcopyup = true;
  } else {
    return option == "defaults" || option.empty();
  }
  return true;
}

}  // namespace

unsigned long propagation_flags(std::string_view word) {
  unsigned long recursive = 0;
  if (word.starts_with("r")) {
    recursive = MS_REC;
    word.remove_prefix(1);
  }
  if (word == "private") return MS_PRIVATE | recursive;
  if (word == "shared") return MS_SHARED | recursive;
  if (word == "slave") return MS_SLAVE | recursive;
  if (word == "unbindable") return MS_UNBINDABLE | recursive;
  return 0;
}

MountOptions parse_mount_options(const grpc::Mount& mount) {
  MountOptions out;
  if (mount.type() == "bind") out.bind = true;
  for (const std::string& option : mount.options()) {
    if (take_kind(option, &out) || take_attr(option, &out) || take_super_flag(option, &out)) {
      continue;
    }
    if (unsigned long flags = propagation_flags(option)) {
      out.propagation.push_back(flags);
      continue;
    }
    if (!out.data.empty()) out.data += ',';
    out.data += option;
  }
  return out;
}

unsigned long attr_to_ms_flags(uint64_t attr) {
  unsigned long flags = 0;
  if (attr & MOUNT_ATTR_RDONLY) flags |= MS_RDONLY;
  if (attr & MOUNT_ATTR_NOSUID) flags |= MS_NOSUID;
  if (attr & MOUNT_ATTR_NODEV) flags |= MS_NODEV;
  if (attr & MOUNT_ATTR_NOEXEC) flags |= MS_NOEXEC;
  if (attr & MOUNT_ATTR_NODIRATIME) flags |= MS_NODIRATIME;
  if (attr & MOUNT_ATTR_NOSYMFOLLOW) flags |= MS_NOSYMFOLLOW;
  if ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME) flags |= MS_NOATIME;
  if ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME) flags |= MS_STRICTATIME;
  return flags;
}

}  // namespace kata::agent
