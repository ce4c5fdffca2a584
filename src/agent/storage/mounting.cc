#include "agent/storage/mounting.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "agent/container/mount_ops.h"
#include "agent/container/mount_options.h"
#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

bool is_directory(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Words for the agent alone never reach the kernel.
MountOptions parse_words(const std::vector<std::string>& words) {
  grpc::Mount mount;
  for (std::string_view rest : words) {
    while (!rest.empty()) {
      std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (word.empty() || word == "defaults" || word.starts_with("X-kata.") ||
          word.starts_with("io.katacontainers.")) {
        continue;
      }
      mount.add_options(std::string(word));
    }
  }
  return parse_mount_options(mount);
}

Status bind_storage(const MountPlan& plan, const MountOptions& options, int target) {
  TRY(UniqueFd copy, clone_mount(plan.source, options.recursive_bind));
  if (options.attr_set != 0 || options.attr_clear != 0) {
    TRY_STATUS(set_mount_attr(copy.get(), options.attr_set, options.attr_clear, false));
  }
  for (unsigned long propagation : options.propagation) {
    TRY_STATUS(set_propagation(copy.get(), propagation));
  }
  return attach_mount(copy.get(), target);
}

}  // namespace

Result<UniqueFd> make_mount_point(const std::string& target, bool want_file) {
  if (target.empty() || target[0] != '/') {
    return fail(Code::kInvalidArgument, "mount point \"" + target + "\" is not absolute");
  }
  const size_t begin = target.find_first_not_of('/');
  if (begin == std::string::npos) {
    return fail(Code::kInvalidArgument, "the root cannot be a mount point");
  }
  TRY(UniqueFd root, open_file("/", O_PATH | O_DIRECTORY));
  std::string relative = target.substr(begin);
  if (!want_file) return beneath::make_dirs(root.get(), relative, 0755);
  if (auto slash = relative.rfind('/'); slash != std::string::npos) {
    TRY(UniqueFd parent, beneath::make_dirs(root.get(), relative.substr(0, slash), 0755));
  }
  TRY(UniqueFd made, beneath::open(root.get(), relative, O_RDONLY | O_CREAT | O_NONBLOCK, 0644));
  return beneath::open(root.get(), relative, O_PATH);
}

std::string mounted_type(const std::string& path) {
  auto table = read_file("/proc/self/mountinfo");
  if (!table) return {};
  std::string type;
  std::string_view rest = *table;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    // id parent major:minor root mount-point options ... - type source super-options
    size_t at = 0;
    for (int field = 0; field < 4 && at != std::string_view::npos; ++field) {
      at = line.find(' ', at);
      if (at != std::string_view::npos) ++at;
    }
    size_t dash = line.find(" - ");
    if (at == std::string_view::npos || dash == std::string_view::npos) continue;
    if (line.substr(at, line.find(' ', at) - at) != path) continue;
    std::string_view tail = line.substr(dash + 3);
    type = tail.substr(0, tail.find(' '));  // the last line is the topmost mount
  }
  return type;
}

Result<bool> mount_storage(const MountPlan& plan) {
  MountOptions options = parse_words(plan.options);
  if (!options.bind && !options.remount && mounted_type(plan.target) == plan.type) return false;
  TRY(UniqueFd target,
      in_step("mount point",
              make_mount_point(plan.target, options.bind && !is_directory(plan.source))));
  const std::string step = "mount " + plan.type + " " + plan.source + " on " + plan.target;
  if (options.bind && !options.remount) {
    TRY_STATUS(in_step(step, bind_storage(plan, options, target.get())));
    return true;
  }
  unsigned long flags = attr_to_ms_flags(options.attr_set) | options.super_flags;
  if (options.remount) flags |= MS_REMOUNT;
  if (options.bind) flags |= MS_BIND;
  TRY_STATUS(in_step(step, mount_at(target.get(), plan.source, plan.type, flags, options.data)));
  // The held descriptor means the folder below; from here on the path means the new mount.
  for (unsigned long propagation : options.propagation) {
    if (mount(nullptr, plan.target.c_str(), nullptr, propagation, nullptr) < 0) {
      return fail_errno("propagation of " + plan.target);
    }
  }
  return true;
}

std::string option_value(const std::vector<std::string>& words, std::string_view key) {
  for (const auto& word : words) {
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=') {
      return word.substr(key.size() + 1);
    }
  }
  return {};
}

Status unmount_storage(const std::string& target) {
  if (umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
      errno != ENOENT) {
    return fail_errno("unmount " + target);
  }
  return {};
}

}  // namespace kata::agent
