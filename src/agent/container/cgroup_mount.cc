#include "agent/container/cgroup_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/container/mount_ops.h"
#include "agent/container/mount_target.h"
#include "agent/container/words.h"
#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr uint64_t kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Status mount_unified(RootfsContext* context, const std::string& destination,
                     const MountOptions& options) {
  TRY(UniqueFd target, make_mount_target(context->root.get(), destination, false));
  return mount_at(target.get(), "cgroup", "cgroup2",
                  options.super_flags | attr_to_ms_flags(options.attr_set), options.data);
}

// One hierarchy of v1 below the tmpfs behind `folder`.
Status mount_hierarchy(int folder, const std::string& mount_point, const std::string& path,
                       bool namespaced, bool readonly) {
  std::string name = basename(mount_point);
  if (mkdirat(folder, name.c_str(), 0755) < 0 && errno != EEXIST) {
    return fail_errno("mkdir " + name);
  }
  TRY(UniqueFd target, beneath::open(folder, name, O_PATH | O_DIRECTORY));
  uint64_t attr = kSafe | (readonly ? MOUNT_ATTR_RDONLY : 0U);
  if (namespaced) {
    std::string data = name == "systemd" ? "name=systemd" : name;
    return mount_at(target.get(), "cgroup", "cgroup", attr_to_ms_flags(attr), data);
  }
  TRY(UniqueFd tree, clone_mount(mount_point + path, false));
  TRY_STATUS(set_mount_attr(tree.get(), attr, 0, false));
  return attach_mount(tree.get(), target.get());
}

// "cpu,cpuacct" is also reachable as "cpu" and as "cpuacct".
Status link_controllers(int folder, const std::string& name) {
  if (name.find(',') == std::string::npos) return {};
  for (std::string_view controller : split(name, ',')) {
    if (symlinkat(name.c_str(), folder, std::string(controller).c_str()) < 0 && errno != EEXIST) {
      return fail_errno("link cgroup controller");
    }
  }
  return {};
}

Status mount_legacy(RootfsContext* context, const std::string& destination,
                    const MountOptions& options) {
  const bool readonly = options.attr_set & MOUNT_ATTR_RDONLY;
  const bool namespaced = context->config->has_own(CLONE_NEWCGROUP);
  TRY(UniqueFd target, make_mount_target(context->root.get(), destination, false));
  TRY_STATUS(mount_at(target.get(), "tmpfs", "tmpfs", attr_to_ms_flags(kSafe), "mode=755"));
  TRY(UniqueFd folder,
      beneath::open_in_root(context->root.get(), clean_path(destination), O_PATH | O_DIRECTORY));
  for (const auto& [mount_point, path] : context->config->cgroup_mounts) {
    TRY_STATUS(mount_hierarchy(folder.get(), mount_point, path, namespaced, readonly));
    TRY_STATUS(link_controllers(folder.get(), basename(mount_point)));
  }
  return readonly ? set_mount_attr(folder.get(), MOUNT_ATTR_RDONLY, 0, false) : Status();
}

}  // namespace

Status mount_cgroups(RootfsContext* context, const grpc::Mount& mount,
                     const MountOptions& options) {
  if (context->config->cgroup_v2) return mount_unified(context, mount.destination(), options);
  return mount_legacy(context, mount.destination(), options);
}

}  // namespace kata::agent
