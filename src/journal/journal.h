#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "journal/entry.h"
#include "journal/undo.h"

namespace kata::journal {

// List of the host resources of one sandbox, on disk, written before each resource is made. Whoever
// comes after a crash (the shim's `delete`, gc, a restart) frees them with undo_all().
//
// Owns the open file, not the resources: its destructor frees nothing. Any thread. A failed add()
// means that the resource must not be made.
class Journal {
 public:
  // Opens or makes `path` (0600); entries of an earlier life are kept.
  static Result<Journal> open(const std::string& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;

  // One write(2) at the end of the file.
  Status add(const Entry& entry);
  // The resource is gone: the newest equal entry no longer counts. Unknown entries are fine.
  Status done(const Entry& entry);

  const std::string& path() const { return path_; }
  // Entries that count, oldest first.
  std::vector<Entry> live() const;

 private:
  Journal(std::string path, UniqueFd fd, std::vector<Entry> live, size_t lines)
      : path_(std::move(path)), fd_(std::move(fd)), live_(std::move(live)), lines_(lines) {}
  Status append(const std::string& line);
  Status compact_if_long();

  mutable std::mutex mutex_;
  std::string path_;
  UniqueFd fd_;
  std::vector<Entry> live_;
  size_t lines_ = 0;
};

// Entries of a journal file that count, oldest first; broken lines are logged and skipped. An
// absent file is an empty list.
Result<std::vector<Entry>> read_journal(const std::string& path, size_t* lines = nullptr);

}  // namespace kata::journal

namespace kata {
using journal::Journal;
using journal::undo_all;
}  // namespace kata
