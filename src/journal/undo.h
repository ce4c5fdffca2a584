#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "journal/entry.h"

namespace kata::journal {

// Frees the resource of an entry; success also when it is half made or already gone.
using Undoer = std::function<Status(const Entry&)>;

struct UndoOptions {
  // Folders besides the built-in ones in which paths may lie: the bundle of the caller.
  std::vector<std::string> prefixes;
  // Kinds that the journal does not know itself.
  std::map<std::string, Undoer> undoers;
  // How long to wait for one killed process to be gone.
  std::chrono::milliseconds kill_wait{2000};
  // How long after the start a new round may begin for what was not gone in time: on a busy node a
  // killed VM takes more than a moment to give its memory back.
  std::chrono::milliseconds patience{0};
};

// Frees everything that a journal lists, newest first. Blocking; idempotent; nothing is done for an
// absent journal. A failure does not stop it: the first one is returned and the failed entries stay
// in the journal for a next try. When all is gone the journal is removed too.
Status undo_all(const std::string& journal_path, const UndoOptions& options = {});

// One entry of a kind that the journal knows.
Status undo_entry(const Entry& entry, const UndoOptions& options);

}  // namespace kata::journal
