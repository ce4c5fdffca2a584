#pragma once

#include <sys/stat.h>

#include <map>
#include <string>

#include "base/task.h"

// Looking at a tree of files and writing single entries of another one, on held descriptors: a
// container may have planted anything in either.
namespace kata::agent {

// What a tree has under one name.
struct TreeEntry {
  mode_t mode = 0;  // with the type: folder, file or link
  uid_t uid = 0;
  gid_t gid = 0;
  timespec changed{};
  off_t size = 0;
  std::string link;

  bool operator==(const TreeEntry& other) const;
  bool same_type(const TreeEntry& other) const { return ((mode ^ other.mode) & S_IFMT) == 0; }
};
// By relative path; a folder comes before what is in it.
using TreeEntries = std::map<std::string, TreeEntry>;

// The agent keeps a record of each, some 150 bytes.
inline constexpr size_t kMaxTreeEntries = 16384;

// Where the link `name` in a folder leads; kNotFound when it is none.
Result<std::string> read_link_at(int folder, const std::string& name);

// Folders, files and links below `root`, without the names of the root that `skip` wants left out.
// kResourceExhausted when there are more than kMaxTreeEntries. Yields to the event loop.
Task<Result<TreeEntries>> scan_tree(int root,
                                    bool (*skip)(const std::string& name, const std::string& word),
                                    std::string word);

// Writes `path` below `root` as `entry` says. Something of the same type may be there; files and
// links are replaced by a rename. Owner and mode are set, for files also the time.
Status write_tree_folder(int root, const std::string& path, const TreeEntry& entry);
Status write_tree_link(int root, const std::string& path, const TreeEntry& entry);
// With the content that it has below `source`. Yields to the event loop.
Task<Status> write_tree_file(int source, int root, std::string path, TreeEntry entry);

// Removes what is there, with everything below; nothing there is fine.
Status remove_tree_entry(int root, const std::string& path);

}  // namespace kata::agent
