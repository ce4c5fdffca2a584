#include "config/apply.h"

#include <algorithm>
#include <array>

#include "config/keys.h"

namespace kata::config {
namespace {

constexpr std::array<std::string_view, 7> kHypervisorNames = {
    "qemu", "clh", "firecracker", "stratovirt", "dragonball", "remote", "openvmm"};

std::string place(const LoadedConfig& loaded, const std::string& key) {
  auto origin = loaded.origins.find(key);
  return origin == loaded.origins.end() ? std::string() : origin->second.text() + ": ";
}

std::string known_names() {
  std::string text;
  for (std::string_view name : kHypervisorNames)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

Status apply_key(const Key& key, const std::string& path, const Value& value,
                 LoadedConfig* loaded) {
  const std::string before = show(key, loaded->config);
  if (auto stored = store(key, value, loaded->config); !stored) {
    return refuse(*loaded, path, stored.error().message());
  }
  if (key.effect == Effect::kHistoric) {
    warn(loaded, path, "belongs to older releases and has no meaning any more",
         Finding::Kind::kHistoric);
  } else if (key.effect == Effect::kAccepted && show(key, loaded->config) != before) {
    warn(loaded, path, "is accepted but has no effect yet", Finding::Kind::kNotEffective);
  }
  return {};
}

Status apply_table(const Value& table, const std::string& path, std::span<const Key> keys,
                   LoadedConfig* loaded) {
  if (!table.is_table())
    return refuse(*loaded, path, "expected a section, found " + describe(table));
  for (const auto& [name, value] : table.table) {
    const std::string full = path + "." + name;
    loaded->origins[full] = value.origin;
    if (name == "factory" && path.starts_with("hypervisor.")) {
      TRY_STATUS(apply_table(value, full, factory_keys(), loaded));
    } else if (const Key* key = find_key(keys, name)) {
      TRY_STATUS(noted(loaded, apply_key(*key, full, value, loaded)));
    } else {
      warn(loaded, full, "unknown key, ignored" + suggestion(name, keys), Finding::Kind::kUnknown);
    }
  }
  return {};
}

const Value* find(const Value& table, const std::string& name) {
  auto found = table.table.find(name);
  return found == table.table.end() ? nullptr : &found->second;
}

// Sections such as [hypervisor.qemu]: the one that `wanted` names, or the only one.
Result<std::string> choose(const Value& document, const std::string& section,
                           const std::string& wanted, LoadedConfig* loaded) {
  const Value* group = find(document, section);
  if (!group) return std::string();
  if (!group->is_table()) {
    return refuse(*loaded, section, "expected sections below it, found " + describe(*group));
  }
  if (!wanted.empty() && group->table.contains(wanted)) return wanted;
  if (group->table.size() == 1) return group->table.begin()->first;
  if (group->table.empty()) return std::string();
  std::string found;
  for (const auto& [name, unused] : group->table) found += (found.empty() ? "" : ", ") + name;
  return refuse(*loaded, section,
                "has several sections (" + found + "); name one in runtime." + section + "_name");
}

Status apply_hypervisor(const Value& document, LoadedConfig* loaded) {
  const std::string& wanted = loaded->config.runtime.hypervisor_name;
  TRY(std::string name, choose(document, "hypervisor", wanted, loaded));
  if (name.empty()) {
    return refuse(*loaded, "hypervisor",
                  "the file has no [hypervisor.<name>] section; known names: " + known_names());
  }
  // Other tables are not read, but a name that nobody knows is a slip worth stopping for.
  for (const auto& [table, value] : find(document, "hypervisor")->table) {
    bool known = false;
    for (size_t i = 0; i < kHypervisorNames.size(); ++i) {
      if (table != kHypervisorNames[i]) continue;
      known = true;
      if (table == name) loaded->config.hypervisor.kind = static_cast<HypervisorKind>(i);
    }
    loaded->origins["hypervisor." + table] = value.origin;
    if (!known) {
      return refuse(*loaded, "hypervisor." + table,
                    "unknown hypervisor section; known names: " + known_names());
    }
  }
  return apply_table(find(document, "hypervisor")->table.at(name), "hypervisor." + name,
                     hypervisor_keys(), loaded);
}

Status apply_agent(const Value& document, LoadedConfig* loaded) {
  TRY(std::string name, choose(document, "agent", loaded->config.runtime.agent_name, loaded));
  if (name.empty()) return {};
  return apply_table(find(document, "agent")->table.at(name), "agent." + name, agent_keys(),
                     loaded);
}

}  // namespace

std::string_view hypervisor_name(HypervisorKind kind) {
  return kHypervisorNames[static_cast<size_t>(kind)];
}

std::string hypervisor_key(const LoadedConfig& loaded, std::string_view key) {
  return "hypervisor." + std::string(hypervisor_name(loaded.config.hypervisor.kind)) + "." +
         std::string(key);
}

std::unexpected<Error> refuse(const LoadedConfig& loaded, const std::string& key,
                              const std::string& text, Code code) {
  std::string where = place(loaded, key);
  if (where.empty()) where = loaded.path + ": ";
  return fail(code, where + key + ": " + text);
}

void warn(LoadedConfig* loaded, const std::string& key, const std::string& text,
          Finding::Kind kind) {
  std::string line = place(*loaded, key) + key + ": " + text;
  auto& all = loaded->warnings;
  if (std::find(all.begin(), all.end(), line) != all.end()) return;
  loaded->findings.push_back({kind, line});
  all.push_back(std::move(line));
}

Status noted(LoadedConfig* loaded, Status status) {
  if (status || !loaded->keep_going) return status;
  loaded->findings.push_back({Finding::Kind::kError, status.error().message()});
  return {};
}

Status apply_sections(const Value& document, LoadedConfig* loaded) {
  for (const auto& [name, value] : document.table) {
    loaded->origins[name] = value.origin;
    if (name == "runtime") {
      TRY_STATUS(noted(loaded, apply_table(value, name, runtime_keys(), loaded)));
    } else if (name == "factory") {
      TRY_STATUS(noted(loaded, apply_table(value, name, factory_keys(), loaded)));
    } else if (name == "proxy" || name == "shim" || name == "netmon") {
      warn(loaded, name, "belongs to release 1.x and has no meaning any more",
           Finding::Kind::kHistoric);
    } else if (name != "hypervisor" && name != "agent") {
      warn(loaded, name, "unknown section or key, ignored", Finding::Kind::kUnknown);
    }
  }
  TRY_STATUS(noted(loaded, apply_hypervisor(document, loaded)));
  return noted(loaded, apply_agent(document, loaded));
}

}  // namespace kata::config
