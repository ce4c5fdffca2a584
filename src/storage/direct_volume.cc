#include "storage/direct_volume.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/file.h"
#include "base/path_beneath.h"
#include "oci/annotations.h"

namespace kata::storage {

namespace {

const std::string kNote(kVolumeNote);
constexpr size_t kMaxNote = 64 << 10;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kNoteMode = 0600;

Result<std::string> read_note(int folder) {
  TRY(UniqueFd note, beneath::open(folder, kNote, O_RDONLY | O_NONBLOCK));
  struct stat info {};
  if (fstat(note.get(), &info) < 0) return fail_errno(kNote);
  if (!S_ISREG(info.st_mode)) return fail(Code::kInvalidArgument, "is no file");
  return read_fd(note.get(), kMaxNote);
}

}  // namespace

std::string volume_name(std::string_view path) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (size_t i = 0; i < path.size(); i += 3) {
    const size_t count = std::min<size_t>(3, path.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(path[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      name += k <= count ? kLetters[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return name;
}

Result<std::string> DirectVolumes::folder(const std::string& volume) const {
  if (!volume.starts_with('/') || volume.find('\0') != volume.npos) {
    return fail(Code::kInvalidArgument, "volume path \"" + volume + "\" is not absolute");
  }
  const std::string name = volume_name(volume);
  if (name.size() > NAME_MAX) {
    return fail(
        Code::kInvalidArgument,
        "volume path " + volume + " is longer than the 189 bytes that a note can stand for");
  }
  return root_ + "/" + name;
}

Status DirectVolumes::add(const std::string& volume, std::string_view json) const {
  TRY(std::string path, folder(volume));
  auto checked = parse_direct_volume(json);
  if (!checked) return std::unexpected(std::move(checked.error()).context("mount info"));
  TRY_STATUS(make_dirs(root_, kFolderMode));
  TRY_STATUS(make_dir(path, kFolderMode));
  return write_file_atomic(path + "/" + kNote, json, kNoteMode);
}

Status DirectVolumes::remove(const std::string& volume) const {
  TRY(std::string path, folder(volume));
  if (!path_exists(path)) {
    return fail(Code::kNotFound, volume + " is no direct volume: there is no " + path);
  }
  return remove_tree(path);
}

Result<std::optional<DirectVolume>> DirectVolumes::find(const std::string& volume) const {
  auto path = folder(volume);
  // What cannot have a note has none.
  if (!path) return std::nullopt;
  auto opened = open_file(*path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened && opened.error().sys_errno() == ENOENT) return std::nullopt;
  const std::string where = "direct volume " + volume + ": " + *path + "/" + kNote;
  if (!opened) return std::unexpected(std::move(opened.error()).context(where));
  TRY(std::string text, in_step(where, read_note(opened->get())));
  TRY(DirectVolume found, in_step(where, parse_direct_volume(text)));
  return found;
}

Result<UniqueFd> DirectVolumes::lock(const std::string& volume, bool read_only) const {
  TRY(std::string path, folder(volume));
  TRY(UniqueFd held, open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (flock(held.get(), (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return held;
  if (errno != EWOULDBLOCK) return fail_errno("lock " + path);
  std::string who;
  auto sandboxes = users(volume);
  for (const std::string& id : sandboxes.value_or(std::vector<std::string>())) {
    who += (who.empty() ? ": " : ", ") + id;
  }
  return fail(Code::kFailedPrecondition,
              "volume " + volume + " is used by another sandbox" + who +
                  "; a file system can be mounted in one VM, or read-only in several");
}

Result<std::vector<std::string>> DirectVolumes::users(const std::string& volume) const {
  TRY(std::string path, folder(volume));
  TRY(auto names, list_dir(path));
  std::erase_if(names, [](const std::string& name) {
    return name == kNote || !oci::check_id(name).has_value();
  });
  std::ranges::sort(names);
  return names;
}

}  // namespace kata::storage
