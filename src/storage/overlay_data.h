#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::storage {

inline constexpr std::string_view kLowerOption = "lowerdir=";

// The folders of a "lowerdir=" option, the uppermost first.
std::vector<std::string> lower_folders(std::string_view option);

// Option text of a file system, and the folder in which relative paths of it start.
struct MountData {
  std::string text;
  std::string folder;  // empty = all paths are absolute
};

// Joins options with commas. The kernel takes at most one page: an overlay whose lower folders do
// not fit gets them relative to their common parent. kResourceExhausted when even that is too long.
Result<MountData> join_mount_data(const std::string& type, std::vector<std::string> options);

// mount(2) with the calling thread's siblings undisturbed by the change of the working folder.
Status mount_in_folder(const std::string& source, const std::string& target,
                       const std::string& type, unsigned long flags, const MountData& data);

}  // namespace kata::storage
