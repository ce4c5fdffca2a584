#include "resources/host_cgroups.h"

#include <algorithm>

namespace kata::resources {

namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup";
constexpr std::string_view kControllers[] = {
    "cpu",   "cpuacct", "cpuset",  "memory",     "devices", "freezer",
    "blkio", "pids",    "hugetlb", "perf_event", "net_cls", "net_prio",
};

std::vector<std::string_view> words(std::string_view text, char separator) {
  std::vector<std::string_view> found;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) found.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

bool has_word(std::string_view list, std::string_view word) {
  const auto listed = words(list, ',');
  return std::ranges::find(listed, word) != listed.end();
}

// One line of mountinfo: id parent major:minor root point options ... - type source super.
void take_mount(std::string_view line, HostCgroups::Hierarchy* unified,
                std::vector<HostCgroups::Hierarchy>* v1) {
  const auto fields = words(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || fields.end() - dash < 4) return;
  const std::string_view point = fields[4];
  if (!point.starts_with(kRoot)) return;
  const auto listed = words(fields[5], ',');
  if (std::ranges::find(listed, "ro") != listed.end()) return;
  if (dash[1] == "cgroup2" && point == kRoot) unified->root = point;
  if (dash[1] != "cgroup") return;
  HostCgroups::Hierarchy found;
  found.root = point;
  for (std::string_view word : words(dash[3], ',')) {
    if (std::ranges::find(kControllers, word) != std::end(kControllers)) {
      found.controllers.emplace_back(word);
    }
  }
  auto same = [&](const auto& other) { return other.controllers == found.controllers; };
  if (!found.controllers.empty() && std::ranges::none_of(*v1, same)) v1->push_back(found);
}

}  // namespace

bool HostCgroups::Hierarchy::has(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

std::vector<std::string> HostCgroups::own_folders(std::string_view text) const {
  std::vector<std::string> folders(hierarchies.size());
  for (size_t i = 0; i < hierarchies.size(); ++i) {
    folders[i] = hierarchies[i].root;
    for (std::string_view line : words(text, '\n')) {
      // number:controllers:path
      const size_t first = line.find(':');
      const size_t second = line.find(':', first == line.npos ? line.npos : first + 1);
      if (second == line.npos) continue;
      const std::string_view list = line.substr(first + 1, second - first - 1);
      const bool here = unified ? list.empty() : has_word(list, hierarchies[i].controllers[0]);
      const std::string_view path = line.substr(second + 1);
      if (here && path.starts_with('/') && path.size() > 1) folders[i] += path;
    }
  }
  return folders;
}

HostCgroups find_host_cgroups(std::string_view mountinfo) {
  HostCgroups found;
  HostCgroups::Hierarchy unified;
  for (std::string_view line : words(mountinfo, '\n')) {
    take_mount(line, &unified, &found.hierarchies);
  }
  if (!unified.root.empty()) {
    found.unified = true;
    found.hierarchies = {std::move(unified)};
  }
  return found;
}

}  // namespace kata::resources
