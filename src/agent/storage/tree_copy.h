#pragma once

#include <sys/stat.h>

#include <map>
#include <string>

#include "base/error.h"

namespace kata::agent {

// A small folder kept as a copy of another one (facts/agent-behaviour.md section 7, watchable
// volumes). Only what changed since the last round is written, so that a watcher of the copy sees
// the changes of the original and nothing else; files are replaced by rename, symlinks stay
// symlinks (Kubernetes swaps `..data`), what is gone from the original goes.
class TreeCopy {
 public:
  static constexpr size_t kMaxEntries = 16;
  static constexpr uint64_t kMaxBytes = 1 << 20;

  TreeCopy(std::string source, std::string target)
      : source_(std::move(source)), target_(std::move(target)) {}

  // kResourceExhausted when the original is larger than the limits.
  Status refresh();

 private:
  struct Known {
    mode_t mode = 0;
    timespec changed{};
    off_t size = 0;
    std::string link;
  };
  using Entries = std::map<std::string, Known>;  // relative path; parents sort first

  Status scan(const std::string& folder, Entries* found, uint64_t* bytes) const;
  Status copy_entry(const std::string& path, const Known& entry) const;

  std::string source_, target_;
  Entries known_;
};

}  // namespace kata::agent
