#include "resources/cgroup_path.h"

#include <algorithm>
#include <vector>

#include "base/file.h"

namespace kata::resources {

namespace {

constexpr std::string_view kDefaultParent = "/vc/";
constexpr std::string_view kPrefix = "kata_";
constexpr size_t kMaxPath = 2048;

Error bad_path(const std::string& path, const char* why) {
  return Error(Code::kInvalidArgument, "linux.cgroupsPath \"" + path.substr(0, 256) + "\" " + why);
}

bool good_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.size() < 256 &&
         std::ranges::all_of(part, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

// "a-b-c.slice" lies in "a.slice/a-b.slice" (systemd.slice(5)).
Result<std::string> slice_folders(const std::string& slice, const std::string& whole) {
  constexpr std::string_view kSuffix = ".slice";
  if (slice == "-.slice") return std::string();
  if (!slice.ends_with(kSuffix) || slice.find('/') != slice.npos || slice.size() > 255) {
    return std::unexpected(bad_path(whole, "does not begin with the name of a slice"));
  }
  const std::string name = slice.substr(0, slice.size() - kSuffix.size());
  std::string path;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('-', begin), name.size());
    if (end == begin) {
      return std::unexpected(bad_path(whole, "has a slice with an empty part in its name"));
    }
    path += "/" + name.substr(0, end) + std::string(kSuffix);
    begin = end + 1;
  }
  return path;
}

Result<std::string> systemd_path(const std::string& text) {
  const size_t first = text.find(':'), second = text.find(':', first + 1);
  std::string slice = text.substr(0, first);
  const std::string prefix = text.substr(first + 1, second - first - 1);
  const std::string name = text.substr(second + 1);
  if (slice.empty()) slice = "system.slice";
  if (!good_part(name) || name.find_first_of("/:") != name.npos ||
      prefix.find('/') != prefix.npos || prefix == "." || prefix == "..") {
    return std::unexpected(bad_path(text, "is not slice:prefix:name"));
  }
  TRY(std::string folders, slice_folders(slice, text));
  return folders + "/" + (prefix.empty() ? name : prefix + "-" + name) + ".scope";
}

}  // namespace

Result<std::string> sandbox_cgroup_path(const std::string& cgroups_path, const std::string& id) {
  if (cgroups_path.size() > kMaxPath) return std::unexpected(bad_path(cgroups_path, "is too long"));
  if (std::ranges::count(cgroups_path, ':') == 2) return systemd_path(cgroups_path);
  std::string path = cgroups_path.empty() ? id : cgroups_path;
  if (!path.starts_with('/')) path = std::string(kDefaultParent) + path;
  // Slashes in a row and at the end are one.
  std::string folder, last;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty()) continue;
    if (!good_part(part)) return std::unexpected(bad_path(cgroups_path, "is not a plain path"));
    if (!last.empty()) folder += "/" + last;
    last = part;
  }
  if (last.empty()) return std::unexpected(bad_path(cgroups_path, "names the root"));
  return folder + "/" + std::string(kPrefix) + last;
}

std::string overhead_cgroup_path(const std::string& id) {
  return "/kata_overhead/" + id;
}

}  // namespace kata::resources
