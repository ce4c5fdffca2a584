#include "config/loader.h"

#include <stdlib.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "config/apply.h"
#include "config/safety.h"
#include "config/search.h"

namespace kata::config {
namespace {

// Fragments beside the main file, in the order of their names. Hidden entries are skipped: they are
// left by editors and by Kubernetes volumes, not meant as configuration.
Status merge_drop_ins(bool check_owner, Value* document, LoadedConfig* loaded) {
  const std::string folder = dirname(loaded->path) + "/config.d";
  auto names = list_dir(folder);
  if (!names) {
    if (names.error().code() == Code::kNotFound) return {};
    return std::unexpected(std::move(names.error()).context("configuration fragments"));
  }
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names) {
    if (name.starts_with('.')) continue;
    const std::string path = folder + "/" + name;
    TRY(std::string text, read_trusted(path, check_owner));
    TRY(Value fragment, parse_toml(text, path));
    merge(*document, std::move(fragment));
    loaded->drop_ins.push_back(path);
  }
  return {};
}

}  // namespace

Result<LoadedConfig> load(const std::string& path, const LoadOptions& options) {
  std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), &free);
  if (!real) return fail_errno("configuration file " + path);
  LoadedConfig loaded;
  loaded.keep_going = options.keep_going;
  loaded.path = real.get();
  TRY(std::string text, read_trusted(loaded.path, options.check_owner));
  TRY(Value document, parse_toml(text, loaded.path));
  TRY_STATUS(merge_drop_ins(options.check_owner, &document, &loaded));
  TRY_STATUS(apply_sections(document, &loaded));
  TRY_STATUS(settle(&loaded));
  loaded.paths_checked = options.check_paths;
  if (options.check_paths) TRY_STATUS(settle_paths(&loaded));
  return loaded;
}

Result<LoadedConfig> parse(std::string_view toml, const std::string& name) {
  LoadedConfig loaded;
  loaded.path = name;
  TRY(Value document, parse_toml(toml, name));
  TRY_STATUS(apply_sections(document, &loaded));
  TRY_STATUS(settle(&loaded));
  return loaded;
}

Result<LoadedConfig> load_for_sandbox(const std::string& option) {
  TRY(std::string path, find(option));
  return load(path);
}

}  // namespace kata::config
