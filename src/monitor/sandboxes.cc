#include "monitor/sandboxes.h"

#include <algorithm>

#include "base/file.h"
#include "oci/annotations.h"

namespace kata::monitor {

namespace {

constexpr char kSocket[] = "/shim-monitor.sock";

Sandbox sandbox_in(const std::string& root, const std::string& id) {
  const std::string state = root + "/" + id;
  return {id, state, state + kSocket};
}

}  // namespace

std::vector<Sandbox> list_sandboxes(const Roots& roots) {
  std::vector<Sandbox> all;
  for (const std::string& root : roots.folders) {
    auto names = list_dir(root);
    if (!names) continue;  // no sandbox was there yet
    for (const std::string& name : *names) {
      if (oci::check_id(name)) all.push_back(sandbox_in(root, name));
    }
  }
  std::ranges::stable_sort(all, {}, &Sandbox::id);
  const auto repeated = std::ranges::unique(all, {}, &Sandbox::id);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

Sandbox find_sandbox(const Roots& roots, const std::string& id) {
  if (!oci::check_id(id)) return {};
  for (const std::string& root : roots.folders) {
    if (path_exists(root + "/" + id)) return sandbox_in(root, id);
  }
  return {};
}

}  // namespace kata::monitor
