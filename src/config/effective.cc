#include "config/effective.h"

#include <algorithm>
#include <map>

namespace kata::config {
namespace {

struct Section {
  std::string name;
  std::span<const Key> keys;
};

// What a row sets: the same address for two spellings of one value.
const void* member(const Key& key, Config& config) {
  return std::visit(
      [](auto field) -> const void* {
        if constexpr (std::is_same_v<decltype(field), ChoiceRef>) {
          return field.member;
        } else {
          return field;
        }
      },
      key.field(config));
}

// The name of the section that was read; a file has one of each kind in use.
std::string agent_section(const LoadedConfig& loaded) {
  const std::string named = "agent." + loaded.config.runtime.agent_name;
  for (const auto& [key, origin] : loaded.origins) {
    if (!key.starts_with("agent.") || key.starts_with(named + ".")) continue;
    const size_t end = key.find('.', 6);
    if (end != std::string::npos) return key.substr(0, end);
  }
  return named;
}

std::string unset_source(const Key& key, Config& config) {
  Config defaults;
  if (show(key, config) == show(key, defaults)) return "default";
  return key.is_file || key.name == "virtio_fs_daemon" ? "found in a built-in place"
                                                       : "follows from other keys";
}

}  // namespace

std::vector<EffectiveKey> effective_keys(LoadedConfig& loaded) {
  const std::string vm =
      "hypervisor." + std::string(hypervisor_name(loaded.config.hypervisor.kind));
  std::string factory = "factory";
  for (const auto& [key, origin] : loaded.origins) {
    if (key.starts_with(vm + ".factory")) factory = vm + ".factory";
  }
  std::vector<EffectiveKey> all;
  std::map<const void*, size_t> seen;
  for (const Section& section :
       {Section{vm, hypervisor_keys()}, Section{factory, factory_keys()},
        Section{"runtime", runtime_keys()}, Section{agent_section(loaded), agent_keys()}}) {
    for (const Key& key : section.keys) {
      auto origin = loaded.origins.find(section.name + "." + std::string(key.name));
      EffectiveKey row{section.name, &key, "", origin != loaded.origins.end()};
      if (!key.field && !row.set) continue;
      row.source = row.set ? origin->second.text() : unset_source(key, loaded.config);
      if (key.field) {
        auto [place, first] = seen.emplace(member(key, loaded.config), all.size());
        if (!first) {
          if (row.set) all[place->second] = std::move(row);
          continue;
        }
      }
      all.push_back(std::move(row));
    }
  }
  // A replaced row may belong to another section than its neighbours.
  std::stable_sort(all.begin(), all.end(), [](const EffectiveKey& a, const EffectiveKey& b) {
    return a.section < b.section;
  });
  return all;
}

}  // namespace kata::config
