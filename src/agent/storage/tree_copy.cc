#include "agent/storage/tree_copy.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ranges>

#include "base/log.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr char kData[] = "..data";

// Other generations, which are not complete yet or about to go.
bool is_hidden(const std::string& name, const std::string& generation) {
  return !generation.empty() && name.starts_with("..") && name != generation && name != kData;
}

bool is_up_to_date(const TreeEntries& known, const TreeEntries::value_type& wanted) {
  const auto old = known.find(wanted.first);
  return old != known.end() && old->second == wanted.second;
}

}  // namespace

Task<Status> TreeCopy::refresh(std::string generation, Clock::duration limit) {
  CO_TRY(UniqueFd source, beneath::open_absolute(source_, O_RDONLY | O_DIRECTORY));
  if (generation.empty()) generation = read_link_at(source.get(), kData).value_or("");
  // Not one of kubelet's: a link like any other.
  if (!generation.starts_with("..") || generation.find('/') != std::string::npos)
    generation.clear();
  CO_TRY(TreeEntries found, co_await scan_tree(source.get(), is_hidden, generation));
  if (!generation.empty()) {
    if (!found.contains(generation)) {
      co_return fail(Code::kAborted, source_ + " changed while it was copied");
    }
    if (auto data = found.find(kData); data != found.end()) data->second.link = generation;
  }
  CO_TRY_STATUS(follow_root(source.get()));
  CO_TRY_STATUS(in_step("copy " + source_, check_room(found)));
  const TreeEntries before = known_;
  Status done = co_await write(source.get(), found, limit);
  if (!done) {
    drop_unfinished(before);
    // What was there when we looked is gone: a newer generation is on its way.
    if (done.error().code() == Code::kNotFound) {
      done = std::unexpected(std::move(done.error()).as(Code::kAborted));
    }
    co_return in_step("copy " + source_, std::move(done));
  }
  for (const auto& path : std::views::keys(before)) {
    if (found.contains(path)) continue;
    CO_TRY_STATUS(remove_tree_entry(target_.get(), path));
    known_.erase(path);
  }
  co_return Status{};
}

// Nothing of it can be seen through `..data` until the end.
Task<Status> TreeCopy::write(int source, const TreeEntries& found, Clock::duration limit) {
  const auto began = Clock::now();
  for (const auto& wanted : found) {
    const auto& [path, entry] = wanted;
    if (is_up_to_date(known_, wanted)) continue;
    if (Clock::now() - began > limit) co_return fail(Code::kDeadlineExceeded, "it takes too long");
    if (auto old = known_.find(path); old != known_.end() && !old->second.same_type(entry)) {
      CO_TRY_STATUS(remove_tree_entry(target_.get(), path));
    }
    if (S_ISLNK(entry.mode)) continue;
    // Known from here on, as even half of it has to go when this fails.
    known_[path] = {};
    known_[path].mode = entry.mode;
    if (S_ISDIR(entry.mode)) {
      CO_TRY_STATUS(write_tree_folder(target_.get(), path, entry));
    } else {
      CO_TRY_STATUS(co_await write_tree_file(source, target_.get(), path, entry));
    }
    known_[path] = entry;
  }
  co_return write_links(found);
}

Status TreeCopy::write_links(const TreeEntries& found) {
  const auto bring = [&](const TreeEntries::value_type& wanted) -> Status {
    if (!S_ISLNK(wanted.second.mode) || is_up_to_date(known_, wanted)) return {};
    TRY_STATUS(write_tree_link(target_.get(), wanted.first, wanted.second));
    known_[wanted.first] = wanted.second;
    return {};
  };
  // First: new visible names lead through it.
  if (auto data = found.find(kData); data != found.end()) TRY_STATUS(bring(*data));
  for (const auto& wanted : found) TRY_STATUS(bring(wanted));
  return {};
}

// Said before half of it is written. The kernel has the last word.
Status TreeCopy::check_room(const TreeEntries& found) const {
  struct statvfs room {};
  if (fstatvfs(target_.get(), &room) < 0) return fail_errno("statvfs");
  uint64_t wanted = 0;
  for (const auto& entry : found) {
    if (S_ISREG(entry.second.mode) && !is_up_to_date(known_, entry)) {
      wanted += static_cast<uint64_t>(entry.second.size);
    }
  }
  if (room.f_blocks == 0 || wanted <= uint64_t{room.f_bavail} * room.f_frsize) return {};
  return fail(Code::kResourceExhausted,
              std::to_string(wanted >> 10) + " KiB of new content, but only " +
                  std::to_string(room.f_bavail * room.f_frsize >> 10) + " KiB for copies are left");
}

Status TreeCopy::follow_root(int source) {
  struct stat wanted {
  }, now{};
  if (fstat(source, &wanted) < 0 || fstat(target_.get(), &now) < 0) return fail_errno("stat");
  if (wanted.st_mode == now.st_mode && wanted.st_uid == now.st_uid && wanted.st_gid == now.st_gid) {
    return {};
  }
  if (fchown(target_.get(), wanted.st_uid, wanted.st_gid) < 0 ||
      fchmod(target_.get(), wanted.st_mode & 07777) < 0) {
    return fail_errno("owner and mode of a copy");
  }
  return {};
}

// Makes room again: a generation that did not fit must not fill the memory of the others. One that
// `..data` leads to already stays.
void TreeCopy::drop_unfinished(const TreeEntries& before) {
  const auto data = known_.find(kData);
  const auto old_data = before.find(kData);
  if (data != known_.end() && (old_data == before.end() || !(data->second == old_data->second))) {
    return;
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (before.contains(it->first)) {
      ++it;
      continue;
    }
    if (auto gone = remove_tree_entry(target_.get(), it->first); !gone) {
      log::failure("unfinished copy", gone.error());
    }
    it = known_.erase(it);
  }
}

}  // namespace kata::agent
