#include <algorithm>
#include <numeric>

#include "config/apply.h"

namespace kata::config {
namespace {

// Levenshtein distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

struct Section {
  std::string_view title;
  std::span<const Key> keys;
};

}  // namespace

std::string suggestion(std::string_view name, std::span<const Key> keys) {
  constexpr size_t kLongestName = 64;
  if (name.size() > kLongestName) return {};
  for (const Section& section :
       {Section{"[hypervisor.<name>]", hypervisor_keys()}, Section{"[runtime]", runtime_keys()},
        Section{"[agent.kata]", agent_keys()}, Section{"[factory]", factory_keys()}}) {
    const Key* key = find_key(section.keys, name);
    if (key && key->effect != Effect::kHistoric) {
      return "; it belongs into " + std::string(section.title);
    }
  }
  size_t nearest = std::max<size_t>(2, name.size() / 4) + 1;
  std::string_view found;
  for (const Key& key : keys) {
    const size_t away = distance(name, key.name);
    if (away >= nearest || away >= name.size() || key.effect == Effect::kHistoric) continue;
    nearest = away;
    found = key.name;
  }
  return found.empty() ? std::string() : "; did you mean \"" + std::string(found) + "\"?";
}

}  // namespace kata::config
