#include "runtime/assigned_volumes.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace kata::runtime {

namespace {

// Both mounts would write to the disk without knowing of each other.
Status check_not_mounted(const storage::HostDisk& disk) {
  if (!disk.is_block) return {};
  auto fd = open_file(disk.path, O_RDONLY | O_NONBLOCK | O_EXCL);
  if (fd || fd.error().sys_errno() != EBUSY) return {};
  return fail(Code::kFailedPrecondition,
              disk.path + " is mounted on the host, or used there by another driver");
}

}  // namespace

Result<std::string> AssignedVolumes::mark(const std::string& source) const {
  if (sandbox_id_ == storage::kVolumeNote) {
    return fail(Code::kInvalidArgument, "a sandbox of this name cannot use direct volumes");
  }
  TRY(std::string folder, notes_.folder(source));
  return folder + "/" + sandbox_id_;
}

// All that blocks: the note, the lock, the disk, the mark.
Result<std::shared_ptr<AssignedVolumes::Volume>> AssignedVolumes::open(
    const std::string& source) const {
  TRY(auto note, notes_.find(source));
  if (!note) return nullptr;
  auto volume = std::make_shared<Volume>();
  volume->path = source;
  volume->note = std::move(*note);
  volume->guest_path = std::string(storage::kGuestStorage) + "/" + storage::volume_name(source);
  TRY(volume->disk, storage::find_disk(volume->note.device));
  TRY_STATUS(check_not_mounted(volume->disk));
  TRY(volume->lock, notes_.lock(source, volume->read_only()));
  TRY(std::string file, mark(source));
  TRY_STATUS(journal_.add(journal::file_entry(file)));
  TRY_STATUS(write_file(file, "", 0600));
  return volume;
}

Status AssignedVolumes::unmark(const std::string& source) const {
  TRY(std::string file, mark(source));
  TRY_STATUS(remove_file(file));
  return journal_.done(journal::file_entry(file));
}

Task<Result<std::shared_ptr<const AssignedVolumes::Volume>>> AssignedVolumes::claim(
    std::string owner, std::string source) {
  const auto turn = co_await turn_.lock();
  // Nobody would undo what is made now.
  if (ended_) co_return fail(Code::kUnavailable, "the sandbox ends");
  auto known = volumes_.find(source);
  if (known == volumes_.end()) {
    auto opened = co_await offload(pool_, [&] { return open(source); });
    if (!opened) {
      co_return std::unexpected(std::move(opened.error()).context("direct volume " + source));
    }
    if (!*opened) co_return nullptr;
    known = volumes_.emplace(source, std::move(*opened)).first;
  }
  known->second->owners.insert(owner);
  co_return known->second;
}

Task<> AssignedVolumes::release(std::string owner) {
  const auto turn = co_await turn_.lock();
  std::vector<std::string> left;
  for (const auto& [path, volume] : volumes_) {
    if (volume->owners.erase(owner) > 0 && volume->owners.empty()) left.push_back(path);
  }
  for (const std::string& path : left) {
    auto unmarked = co_await offload(pool_, [&] { return unmark(path); });
    if (!unmarked) log::failure("the mark of a volume stays", unmarked.error());
    volumes_.erase(path);
  }
}

std::shared_ptr<const AssignedVolumes::Volume> AssignedVolumes::find(
    const std::string& name) const {
  const auto found = std::ranges::find_if(volumes_, [&](const auto& entry) {
    return entry.first == name || entry.second->note.device == name;
  });
  return found == volumes_.end() ? nullptr : found->second;
}

}  // namespace kata::runtime
