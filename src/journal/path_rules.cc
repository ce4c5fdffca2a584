#include "journal/path_rules.h"

#include <algorithm>

namespace kata::journal {

namespace {

// Below these each entry is one sandbox's (facts/runtime-behaviour.md section 1).
constexpr std::string_view kSandboxParents[] = {
    "/run/vc/sbs/",
    "/run/vc/vm/",
    "/run/vc/firecracker/",
    "/run/kata/",
    "/run/kata-containers/shared/sandboxes/",
    "/run/kata-containers/shared/initdata/",
    "/var/lib/kata-containers/pods/",
};
constexpr std::string_view kParents[] = {
    "/run/vc/",   "/run/kata-containers/", "/run/containerd/", "/run/netns/", "/run/docker/netns/",
    "/run/user/", "/sys/fs/cgroup/",
};
// Folders of containerd that hold bundles, wherever its state directory is.
constexpr std::string_view kBundleParents[] = {
    "/io.containerd.runtime.v2.task/",
    "/io.containerd.sandbox.controller.v1.shim/",
};

bool normalised(std::string_view path) {
  if (path.size() < 2 || path[0] != '/' || path.find('\0') != path.npos) return false;
  for (size_t begin = 1; begin <= path.size();) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string_view name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") return false;
    begin = end + 1;
  }
  return true;
}

// Longer than the prefix by at least one character: never the common folder itself.
bool below(std::string_view path, std::string_view folder_slash) {
  return path.size() > folder_slash.size() && path.starts_with(folder_slash);
}

}  // namespace

Result<std::string> check_path(std::string path, const std::vector<std::string>& prefixes,
                               bool whole_tree) {
  if (!normalised(path)) {
    return fail(Code::kPermissionDenied, "path '" + path + "' is not absolute and normalised");
  }
  constexpr std::string_view kOldRun = "/var/run/";
  if (path.starts_with(kOldRun)) path = "/run/" + path.substr(kOldRun.size());
  auto matches = [&](std::string_view folder) { return below(path, folder); };
  if (std::ranges::any_of(kSandboxParents, matches)) return path;
  if (std::ranges::any_of(prefixes, [&](const auto& p) { return below(path, p + "/"); })) {
    return path;
  }
  auto inside = [&](std::string_view folder) { return path.find(folder) != path.npos; };
  if (!whole_tree &&
      (std::ranges::any_of(kParents, matches) || std::ranges::any_of(kBundleParents, inside))) {
    return path;
  }
  return fail(Code::kPermissionDenied, "path '" + path + "' is no place of a sandbox");
}

}  // namespace kata::journal
