#include "agent/storage/tree_copy.h"

#include <unistd.h>

#include <climits>
#include <ranges>

#include "base/file.h"

namespace kata::agent {
namespace {

Result<std::string> read_link(const std::string& path) {
  char target[PATH_MAX];
  ssize_t n = readlink(path.c_str(), target, sizeof target);
  if (n < 0) return fail_errno("read link " + path);
  return std::string(target, static_cast<size_t>(n));
}

// A symlink gets its place by rename, so that readers never see it missing.
Status replace_link(const std::string& link, const std::string& path) {
  std::string temporary = path + ".new";
  TRY_STATUS(remove_file(temporary));
  if (symlink(link.c_str(), temporary.c_str()) < 0) return fail_errno("symlink " + path);
  if (rename(temporary.c_str(), path.c_str()) < 0) return fail_errno("rename " + path);
  return {};
}

}  // namespace

Status TreeCopy::scan(const std::string& folder, Entries* found, uint64_t* bytes) const {
  TRY(auto names, list_dir(source_ + folder));
  for (const auto& name : names) {
    std::string path = folder + "/" + name;
    struct stat info {};
    if (lstat((source_ + path).c_str(), &info) < 0) {
      if (errno == ENOENT) continue;  // replaced while we look: the next round sees the new one
      return fail_errno("stat " + path);
    }
    Known entry{info.st_mode, info.st_mtim, info.st_size, {}};
    if (S_ISLNK(info.st_mode)) {
      TRY(entry.link, read_link(source_ + path));
    } else if (S_ISREG(info.st_mode)) {
      *bytes += static_cast<uint64_t>(info.st_size);
    } else if (!S_ISDIR(info.st_mode)) {
      continue;
    }
    (*found)[path] = entry;
    if (found->size() > kMaxEntries || *bytes > kMaxBytes) {
      return fail(Code::kResourceExhausted, source_ + " is too large to be watched");
    }
    if (S_ISDIR(info.st_mode)) TRY_STATUS(scan(path, found, bytes));
  }
  return {};
}

Status TreeCopy::copy_entry(const std::string& path, const Known& entry) const {
  std::string to = target_ + path;
  if (S_ISLNK(entry.mode)) return replace_link(entry.link, to);
  if (S_ISDIR(entry.mode)) {
    TRY_STATUS(make_dir(to, entry.mode & 07777));
  } else {
    TRY(std::string content, read_file(source_ + path, kMaxBytes));
    TRY_STATUS(write_file_atomic(to, content, entry.mode & 07777));
  }
  if (chmod(to.c_str(), entry.mode & 07777) < 0) return fail_errno("chmod " + to);
  return {};
}

Status TreeCopy::refresh() {
  Entries found;
  uint64_t bytes = 0;
  TRY_STATUS(scan("", &found, &bytes));
  for (const auto& [path, entry] : found) {
    auto old = known_.find(path);
    bool same = old != known_.end() && old->second.mode == entry.mode &&
                old->second.size == entry.size && old->second.link == entry.link &&
                old->second.changed.tv_sec == entry.changed.tv_sec &&
                old->second.changed.tv_nsec == entry.changed.tv_nsec;
    if (same) continue;
    if (old != known_.end() && (old->second.mode & S_IFMT) != (entry.mode & S_IFMT)) {
      TRY_STATUS(remove_tree(target_ + path));
    }
    TRY_STATUS(copy_entry(path, entry));
  }
  for (const auto& path : std::views::keys(known_)) {
    if (!found.contains(path)) TRY_STATUS(remove_tree(target_ + path));
  }
  known_ = std::move(found);
  return {};
}

}  // namespace kata::agent
