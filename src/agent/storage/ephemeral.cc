#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>

#include "agent/storage/drivers.h"
#include "agent/storage/fs_group.h"
#include "agent/storage/huge_pages.h"
#include "agent/storage/mounting.h"
#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

Result<uint64_t> parse_number(const std::string& text, int base, const std::string& what) {
  uint64_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalidArgument, what + " \"" + text + "\" is not a number");
  }
  return value;
}

// Splits "pagesize=N,size=M", which comes as one word.
std::vector<std::string> split_words(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::string_view rest : words) {
    while (!rest.empty()) {
      std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      out.emplace_back(word);
    }
  }
  return out;
}

// Pages of the volume, unless it is there already: the file system outlives its containers.
Status reserve_pages(const grpc::Storage& storage, const std::vector<std::string>& words) {
  if (mounted_type(storage.mount_point()) == storage.fstype()) return {};
  TRY(uint64_t page, parse_number(option_value(words, "pagesize"), 10, "pagesize"));
  TRY(uint64_t size, parse_number(option_value(words, "size"), 10, "size"));
  if (page < 1024) return fail(Code::kInvalidArgument, "pagesize below 1 KiB");
  return in_step("huge pages for " + storage.mount_point(), reserve_huge_pages(page, size));
}

// `fsgid=` goes to the folder, the rest to the kernel.
std::vector<std::string> without_fsgid(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const auto& word : words) {
    if (!word.starts_with("fsgid=")) out.push_back(word);
  }
  return out;
}

Status apply_fsgid(const std::vector<std::string>& words, int folder) {
  std::string text = option_value(words, "fsgid");
  if (text.empty()) return {};
  TRY(uint64_t gid, parse_number(text, 10, "fsgid"));
  if (gid > UINT32_MAX) return fail(Code::kInvalidArgument, "fsgid out of range");
  return give_folder_to_group(folder, static_cast<unsigned>(gid));
}

Status set_mode(const std::vector<std::string>& words, int folder) {
  std::string text = option_value(words, "mode");
  if (text.empty()) return {};
  TRY(uint64_t mode, parse_number(text, 8, "mode"));
  if (chmod(beneath::fd_path(folder).c_str(), static_cast<mode_t>(mode & 07777)) < 0) {
    return fail_errno("chmod");
  }
  return {};
}

// The folder may be that of a subPath in a volume that containers write: no symlink of theirs is
// followed, and what they have put there already keeps its mode.
Status make_folder(const grpc::Storage& storage) {
  const auto words = words_of(storage);
  const std::string& path = storage.mount_point();
  auto place = beneath::open_absolute(path, O_PATH);
  if (!place) {
    if (place.error().code() != Code::kNotFound) return std::unexpected(std::move(place.error()));
    TRY(UniqueFd made, make_mount_point(path, false));
    TRY_STATUS(set_mode(words, made.get()));
    return apply_fsgid(words, made.get());
  }
  struct stat info {};
  if (fstat(place->get(), &info) < 0) return fail_errno("stat");
  if (S_ISDIR(info.st_mode)) return apply_fsgid(words, place->get());
  if (S_ISREG(info.st_mode)) return {};
  return fail(Code::kFailedPrecondition, "there is something that is neither a folder nor a file");
}

}  // namespace

Task<Result<StorageMade>> mount_ephemeral(const StorageContext&, const grpc::Storage& storage) {
  auto words = split_words(words_of(storage));
  if (storage.fstype() == "hugetlbfs") CO_TRY_STATUS(reserve_pages(storage, words));
  MountPlan plan{storage.source(), storage.mount_point(), storage.fstype(), without_fsgid(words)};
  CO_TRY(bool mounted, mount_storage(plan));
  (void)mounted;
  CO_TRY(UniqueFd folder, beneath::open_absolute(storage.mount_point(), O_PATH | O_DIRECTORY));
  CO_TRY_STATUS(apply_fsgid(words, folder.get()));
  // The content belongs to the pod, not to the container that was there first.
  co_return StorageMade{.undo = false};
}

Task<Result<StorageMade>> make_local(const StorageContext&, const grpc::Storage& storage) {
  CO_TRY_STATUS(in_step("local volume " + storage.mount_point(), make_folder(storage)));
  co_return StorageMade{.undo = false};
}

}  // namespace kata::agent
