#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

// One host resource of a sandbox as the journal knows it (docs/design/journal.md has the format).
namespace kata::journal {

// Kinds that the journal itself can undo. Other modules bring their own (network: tap, netns, ...)
// and hand an Undoer for them to undo_all().
inline constexpr std::string_view kProcess = "process";  // pid, start time, program
inline constexpr std::string_view kMount = "mount";      // mount point
inline constexpr std::string_view kDir = "dir";          // folder, removed when empty
inline constexpr std::string_view kFile = "file";        // file, socket or fifo
inline constexpr std::string_view kTree = "tree";        // folder with what is below it
inline constexpr std::string_view kCgroup = "cgroup";    // cgroup folder with the groups below it

struct Entry {
  std::string kind;                 // lower-case letters, digits and '-'
  std::vector<std::string> fields;  // any bytes

  bool operator==(const Entry&) const = default;
};

// Takes the start time from /proc, so that a later process with the same pid is never killed. Call
// it right after the start, before the child can be reaped.
Result<Entry> process_entry(pid_t pid);
// Paths are absolute, normalised and free of symlinks.
Entry mount_entry(std::string path);
Entry dir_entry(std::string path);
Entry file_entry(std::string path);
Entry tree_entry(std::string path);
Entry cgroup_entry(std::string path);

// Text of one line without the newline, and back; kDataLoss when it is not a whole entry.
std::string encode(const Entry& entry);
Result<Entry> decode(std::string_view line);

}  // namespace kata::journal
