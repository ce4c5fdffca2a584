#include "agent/init/mounts.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

struct BaseMount {
  const char* type;
  const char* target;
  unsigned long flags;
  const char* data;
  long magic;  // of statfs(2): tells that the target has this type already
};

constexpr long kTmpfs = 0x01021994;
constexpr BaseMount kBaseMounts[] = {
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr, 0x9fa0},
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr, 0x62656572},
    // devtmpfs shares its magic with tmpfs, so it is always tried; EBUSY says it is there.
    {"devtmpfs", "/dev", MS_NOSUID, nullptr, 0},
    {"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, nullptr, kTmpfs},
    {"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=620,gid=5", 0x1cd1},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755", kTmpfs},
};

bool is_mount_of(const BaseMount& entry) {
  struct statfs info {};
  struct stat here {
  }, above{};
  std::string parent = std::string(entry.target) + "/..";
  return entry.magic != 0 && statfs(entry.target, &info) == 0 && info.f_type == entry.magic &&
         stat(entry.target, &here) == 0 && stat(parent.c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

Status mount_one(const BaseMount& entry) {
  TRY_STATUS(make_dirs(entry.target));
  if (is_mount_of(entry)) return {};
  if (mount(entry.type, entry.target, entry.type, entry.flags, entry.data) < 0 && errno != EBUSY) {
    return fail_errno(std::string("mount ") + entry.type + " on " + entry.target);
  }
  return {};
}

constexpr char kCgroupRoot[] = "/sys/fs/cgroup";
constexpr unsigned long kCgroupFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME;

// Names of the v1 controllers that the kernel has switched on, from /proc/cgroups.
std::vector<std::string> enabled_controllers(std::string_view table) {
  static constexpr std::string_view kWanted[] = {
      "cpu",     "cpuacct",    "blkio",    "cpuset",  "memory", "devices", "freezer",
      "net_cls", "perf_event", "net_prio", "hugetlb", "pids",   "rdma"};
  std::vector<std::string> names;
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(table.size(), line.size() + 1));
    std::string_view name = line.substr(0, line.find('\t'));
    if (!line.ends_with("\t1")) continue;
    for (auto wanted : kWanted) {
      if (wanted == name) names.emplace_back(name);
    }
  }
  return names;
}

Status mount_cgroup_v1() {
  TRY(std::string table, read_file("/proc/cgroups"));
  if (mount("tmpfs", kCgroupRoot, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0) {
    return fail_errno("mount tmpfs on /sys/fs/cgroup");
  }
  for (const auto& name : enabled_controllers(table)) {
    std::string target = std::string(kCgroupRoot) + "/" + name;
    TRY_STATUS(make_dir(target));
    if (mount("cgroup", target.c_str(), "cgroup", kCgroupFlags, name.c_str()) < 0) {
      return fail_errno("mount cgroup controller " + name);
    }
  }
  constexpr unsigned long kReadOnly = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("tmpfs", kCgroupRoot, "tmpfs", kReadOnly, "mode=755") < 0) {
    return fail_errno("make /sys/fs/cgroup read-only");
  }
  return {};
}

}  // namespace

Status mount_base_filesystems() {
  Status first;
  for (const auto& entry : kBaseMounts) {
    auto mounted = mount_one(entry);
    if (!mounted && first) first = std::move(mounted);
  }
  // Containers' own /dev/ptmx is made by the container; this one serves the agent's ptys.
  if (symlink("pts/ptmx", "/dev/ptmx") < 0 && errno != EEXIST && first) {
    first = fail_errno("link /dev/ptmx");
  }
  return first;
}

Status mount_cgroups() {
  TRY(std::string known, read_file("/proc/filesystems"));
  if (known.find("\tcgroup2\n") == std::string::npos) return mount_cgroup_v1();
  if (mount("cgroup2", kCgroupRoot, "cgroup2", kCgroupFlags, "nsdelegate") < 0 && errno != EBUSY) {
    return fail_errno("mount cgroup2 on /sys/fs/cgroup");
  }
  return {};
}

}  // namespace kata::agent
