#pragma once

#include <string>

#include "agent/storage/tree_files.h"
#include "base/unique_fd.h"

namespace kata::agent {

// A folder of the guest kept as a copy of a shared one (facts/agent-behaviour.md section 7,
// watchable volumes). Only what changed since the last round is written, so that a watcher of the
// copy sees the changes of the original and nothing else.
//
// Kubernetes changes its volumes by generations: all files lie in a folder `..<time>`, the link
// `..data` leads to it, the visible names lead through `..data`. Only the generation that `..data`
// leads to is copied, and `..data` moves, by one rename, when all of it is there. Links stay links;
// owners, modes and times of files are kept; what is gone from the original goes.
class TreeCopy {
 public:
  // `source` is opened anew in each round; `target` is the empty folder of the copy.
  TreeCopy(std::string source, UniqueFd target)
      : source_(std::move(source)), target_(std::move(target)) {}

  // Brings the copy up to date. `generation`: where `..data` leads, from whoever knows it better
  // than the guest's cache of the shared folder; empty = what the link says.
  // kDeadlineExceeded after `limit`, kResourceExhausted when the copy has no room, kAborted when
  // the original was changed meanwhile:
  // `..data` leads where it did then. Yields to the event loop; one call at a time.
  Task<Status> refresh(std::string generation, Clock::duration limit = Clock::duration::max());

 private:
  Task<Status> write(int source, const TreeEntries& found, Clock::duration limit);
  Status write_links(const TreeEntries& found);
  Status check_room(const TreeEntries& found) const;
  Status follow_root(int source);
  void drop_unfinished(const TreeEntries& before);

  std::string source_;
  UniqueFd target_;
  TreeEntries known_;  // what the copy has
};

}  // namespace kata::agent
