#include "config/search.h"

#include <cstdlib>

#include "base/file.h"

namespace kata::config {

const std::vector<std::string>& default_paths() {
  static const std::vector<std::string> paths = [] {
    std::vector<std::string> all = {
        "/etc/kata-containers/configuration.toml",
        std::string(KATA_PREFIX) + "/share/defaults/kata-containers/configuration.toml"};
    // Packages of distributions and of upstream's other dialect (facts/configuration.md 1.1).
    for (const char* path : {"/usr/share/defaults/kata-containers/configuration.toml",
                             "/opt/kata/share/defaults/kata-containers/configuration.toml",
                             "/usr/share/kata-containers/defaults/configuration.toml",
                             "/etc/kata-containers/runtime-rs/configuration.toml"}) {
      if (path != all[1]) all.emplace_back(path);
    }
    return all;
  }();
  return paths;
}

namespace {

// A file that somebody asked for by name must be there: falling back would run the pod with rules
// that nobody chose.
Result<std::string> named(const std::string& path, const std::string& source) {
  if (!path.starts_with('/')) {
    return fail(Code::kInvalidArgument,
                source + ": configuration path \"" + path + "\" is not absolute");
  }
  if (!path_exists(path)) {
    return fail(Code::kNotFound, source + ": configuration file " + path + " does not exist");
  }
  return path;
}

}  // namespace

Result<std::string> find(const std::string& option) {
  if (!option.empty()) return named(option, "runtime option ConfigPath");
  if (const char* path = std::getenv("KATA_CONF_FILE"); path && *path) {
    return named(path, "environment variable KATA_CONF_FILE");
  }
  std::string tried;
  for (const std::string& path : default_paths()) {
    if (path_exists(path)) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return fail(Code::kNotFound, "no configuration file; looked for " + tried);
}

}  // namespace kata::config
