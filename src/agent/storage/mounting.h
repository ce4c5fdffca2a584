#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// mount(2) for storages. Targets are made when missing and reached without following any symlink: a
// container that can write somewhere on the way must not be able to redirect a mount.
namespace kata::agent {

struct MountPlan {
  std::string source, target, type;
  std::vector<std::string> options;  // words, each may be a comma-separated list
};

// The place `target` as a held descriptor, made when missing: a folder, or a file for `want_file`.
Result<UniqueFd> make_mount_point(const std::string& target, bool want_file);

// False: the target already carried a file system of this type and was left alone (no `remount`
// among the options).
Result<bool> mount_storage(const MountPlan& plan);

// Value of `key=value` among the words, empty when absent.
std::string option_value(const std::vector<std::string>& words, std::string_view key);

// Detaches whatever is mounted on `target`; nothing there is fine.
Status unmount_storage(const std::string& target);

// Type of the file system mounted exactly on `path`, empty when it is no mount point.
std::string mounted_type(const std::string& path);

}  // namespace kata::agent
