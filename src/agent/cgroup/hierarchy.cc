#include "agent/cgroup/hierarchy.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr size_t kMaxPath = 2048;

// Controllers of a v1 mount, from its last mountinfo field; a named hierarchy counts as one.
std::vector<std::string_view> controllers_of(std::string_view super_options) {
  std::vector<std::string_view> out;
  for (std::string_view word : split(super_options, ',')) {
    if (word != "rw" && word != "ro" && !word.starts_with("clone_children") &&
        !word.starts_with("release_agent") && word != "xattr" && word != "noprefix") {
      out.push_back(word);
    }
  }
  return out;
}

}  // namespace

CgroupHierarchy CgroupHierarchy::unified(std::string root) {
  CgroupHierarchy out;
  out.unified_ = std::move(root);
  return out;
}

CgroupHierarchy CgroupHierarchy::legacy(std::map<std::string, std::string> mounts) {
  CgroupHierarchy out;
  out.mounts_ = std::move(mounts);
  return out;
}

Result<CgroupHierarchy> CgroupHierarchy::detect(const std::string& base) {
  struct statfs info {};
  if (statfs(base.c_str(), &info) < 0) return fail_errno("statfs " + base);
  if (info.f_type == CGROUP2_SUPER_MAGIC) return unified(base);
  TRY(std::string table, read_file("/proc/self/mountinfo"));
  std::map<std::string, std::string> mounts;
  for (std::string_view line : split(table, '\n')) {
    auto fields = split(line, ' ');
    // After the optional fields: "-", type, source, super options.
    size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-") ++dash;
    if (dash + 3 >= fields.size() || fields[dash + 1] != "cgroup") continue;
    std::string point(fields[4]);
    if (!point.starts_with(base + '/')) continue;
    for (std::string_view controller : controllers_of(fields[dash + 3])) {
      mounts.emplace(controller, point);
    }
  }
  if (mounts.empty()) return fail(Code::kFailedPrecondition, "no cgroup hierarchy below " + base);
  return legacy(std::move(mounts));
}

Result<std::string> resolve_cgroups_path(std::string_view cgroups_path, std::string_view cid) {
  std::string path(cgroups_path.empty() ? cid : cgroups_path);
  // A path that holds a '/' is one; a colon in it is an ordinary character.
  if (path.find('/') == std::string::npos) {
    for (char& c : path) c = c == ':' ? '/' : c;
  }
  std::string out;
  for (std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    if (part == "." || part == ".." || part.find('\n') != std::string_view::npos) {
      return fail(Code::kInvalidArgument, "cgroupsPath \"" + path + "\" leaves its hierarchy");
    }
    out += '/';
    out += part;
  }
  if (out.empty() || out.size() > kMaxPath) {
    return fail(Code::kInvalidArgument, "cgroupsPath \"" + path.substr(0, 80) + "\" is not usable");
  }
  return out;
}

}  // namespace kata::agent
