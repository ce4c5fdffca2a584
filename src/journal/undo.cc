#include "journal/undo.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <charconv>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "journal/journal.h"
#include "journal/path_rules.h"
#include "journal/process_kill.h"

namespace kata::journal {

namespace {

// The parent folder is resolved without symlinks and held; the last name is never followed by the
// calls that use it (CVE-2020-2024).
struct Place {
  UniqueFd parent;
  std::string name;
};

// An absent parent comes back as an error with ENOENT.
Result<Place> locate(const std::string& path) {
  TRY(UniqueFd root, open_file("/", O_PATH | O_DIRECTORY));
  TRY(UniqueFd parent, beneath::open(root.get(), dirname(path).substr(1), O_PATH | O_DIRECTORY));
  return Place{std::move(parent), basename(path)};
}

Status undo_mount(const Place& place) {
  const std::string path = beneath::fd_path(place.parent.get()) + "/" + place.name;
  if (umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) return {};
  // EINVAL: not a mount point here, because it was not made yet or in a namespace that is gone.
  if (errno == EINVAL || errno == ENOENT) return {};
  return fail_errno("unmount");
}

Status undo_name(const Place& place, int flags) {
  if (unlinkat(place.parent.get(), place.name.c_str(), flags) < 0 && errno != ENOENT) {
    return fail_errno("remove");
  }
  return {};
}

// Who is in a group though its sandbox is gone (what a hook left in the background) goes on one
// level up; on the unified hierarchy inner groups may be closed to processes, its root never is.
void evict(int parent, const std::string& name) {
  const std::string up = beneath::fd_path(parent);
  auto inside = read_file(up + "/" + name + "/cgroup.procs");
  if (!inside) return;
  for (size_t begin = 0; begin < inside->size();) {
    const size_t end = std::min(inside->find('\n', begin), inside->size());
    const std::string pid = inside->substr(begin, end - begin);
    if (!write_existing(up + "/cgroup.procs", pid)) {
      (void)write_existing("/sys/fs/cgroup/cgroup.procs", pid);
    }
    begin = end + 1;
  }
}

// Groups of killed processes empty themselves with a short delay.
Status remove_cgroup(int parent, const std::string& name, int depth) {
  constexpr int kMaxDepth = 64;
  constexpr int kTries = 40;
  constexpr int kEvictAfter = 8;
  constexpr auto kPause = std::chrono::milliseconds(25);
  if (depth > kMaxDepth) return fail(Code::kFailedPrecondition, "too deep");
  for (int attempt = 0;; ++attempt) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY) return fail_errno("remove cgroup " + name);
    auto group = beneath::open(parent, name, O_RDONLY | O_DIRECTORY);
    if (!group) return std::unexpected(std::move(group.error()));
    TRY(auto children, list_dir(beneath::fd_path(group->get())));
    for (const auto& child : children) {
      if (beneath::open(group->get(), child, O_PATH | O_DIRECTORY)) {
        TRY_STATUS(remove_cgroup(group->get(), child, depth + 1));
      }
    }
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (attempt == kTries) return fail_errno("remove cgroup " + name);
    if (attempt == kEvictAfter) evict(parent, name);
    std::this_thread::sleep_for(kPause);
  }
}

Status undo_path(const Entry& entry, const UndoOptions& options) {
  if (entry.fields.size() != 1) return fail(Code::kDataLoss, "entry needs one path");
  TRY(std::string path, check_path(entry.fields[0], options.prefixes, entry.kind == kTree));
  auto place = locate(path);
  if (!place) {
    if (place.error().sys_errno() == ENOENT) return {};
    return std::unexpected(std::move(place.error()));
  }
  if (entry.kind == kMount) return undo_mount(*place);
  if (entry.kind == kDir) return undo_name(*place, AT_REMOVEDIR);
  if (entry.kind == kFile) return undo_name(*place, 0);
  if (entry.kind == kTree) return remove_tree_at(place->parent.get(), place->name);
  if (entry.kind == kCgroup) return remove_cgroup(place->parent.get(), place->name, 0);
  return fail(Code::kUnimplemented, "no way to undo this kind");
}

Status undo_process(const Entry& entry, const UndoOptions& options) {
  ProcessId id;
  auto number = [](const std::string& text, auto* out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (entry.fields.size() != 3 || !number(entry.fields[0], &id.pid) ||
      !number(entry.fields[1], &id.start_time)) {
    return fail(Code::kDataLoss, "entry needs pid, start time and program");
  }
  id.program = entry.fields[2];
  return kill_process(id, options.kill_wait);
}

// Folders that hold the journal itself go last, and only when nothing is left to try again.
bool holds(const Entry& entry, const std::string& journal_path) {
  return (entry.kind == kDir || entry.kind == kTree) && entry.fields.size() == 1 &&
         journal_path.starts_with(entry.fields[0] + "/");
}

Status undo_logged(const Entry& entry, const UndoOptions& options) {
  auto undone = undo_entry(entry, options);
  if (!undone) log::failure("a host resource stays", undone.error(), {{"entry", encode(entry)}});
  return in_step("undo '" + encode(entry) + "'", std::move(undone));
}

Status replay(const std::string& journal_path, const UndoOptions& options) {
  if (!path_exists(journal_path)) return {};
  TRY(auto entries, read_journal(journal_path));
  std::vector<Entry> left, holders;
  Status first;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (holds(*entry, journal_path)) {
      holders.push_back(*entry);
      continue;
    }
    auto undone = undo_logged(*entry, options);
    if (undone) continue;
    if (first) first = std::move(undone);
    left.push_back(*entry);
  }
  if (!left.empty()) {
    left.insert(left.end(), holders.begin(), holders.end());
    std::string text;
    for (auto entry = left.rbegin(); entry != left.rend(); ++entry) text += encode(*entry) + "\n";
    TRY_STATUS(in_step("keep what could not be undone", write_file_atomic(journal_path, text)));
    return first;
  }
  TRY_STATUS(remove_file(journal_path));
  for (const auto& entry : holders) {
    auto undone = undo_logged(entry, options);
    if (!undone && first) first = std::move(undone);
  }
  return first;
}

}  // namespace

Status undo_entry(const Entry& entry, const UndoOptions& options) {
  if (auto own = options.undoers.find(entry.kind); own != options.undoers.end()) {
    return own->second(entry);
  }
  return entry.kind == kProcess ? undo_process(entry, options) : undo_path(entry, options);
}

Status undo_all(const std::string& journal_path, const UndoOptions& options) {
  const auto end = std::chrono::steady_clock::now() + options.patience;
  for (;;) {
    auto undone = replay(journal_path, options);
    if (undone || undone.error().code() != Code::kDeadlineExceeded) return undone;
    if (std::chrono::steady_clock::now() >= end) return undone;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace kata::journal
