#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::network {

// A network namespace, held open. `path` is where others find it; empty for one that only
// descriptors and processes keep.
struct Netns {
  UniqueFd fd;
  std::string path;
};

// Tells a namespace from a later one at the same path.
struct NetnsId {
  std::string path;
  ino_t inode = 0;      // used again once the namespace is gone
  uint64_t cookie = 0;  // never used again; 0 where the kernel has none (before Linux 5.14)

  bool operator==(const NetnsId&) const = default;
};

// kInvalidArgument when the file is something else.
Result<Netns> open_netns(std::string path);

Result<ino_t> netns_inode(int fd);
// Blocks.
Result<NetnsId> identify(const Netns& netns);
// Of the calling thread's namespace.
uint64_t netns_cookie();

}  // namespace kata::network
