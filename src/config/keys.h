#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "config/config.h"

// The key tables: one row per key of configuration.toml. Loader, annotation overlay and every
// command that shows or checks a configuration read the same rows.
namespace kata::config {

// An enumeration member, reached through the index of its word.
struct ChoiceRef {
  void* member;
  void (*set)(void* member, size_t index);
  size_t (*get)(const void* member);
};
template <class Enum>
ChoiceRef choice(Enum& member) {
  return {&member, [](void* m, size_t i) { *static_cast<Enum*>(m) = static_cast<Enum>(i); },
          [](const void* m) { return static_cast<size_t>(*static_cast<const Enum*>(m)); }};
}

// Address of the member that a key sets; the alternative is the type that the file must hold.
using Field = std::variant<bool*, uint64_t*, double*, Text*, TextList*, Millis*, ChoiceRef>;
using Words = std::span<const std::string_view>;

enum class Effect {
  kEffective,  // changes what the runtime does
  kAccepted,   // read and checked, but nothing uses it yet
  kHistoric,   // of older releases; no longer means anything
};

struct Key {
  std::string_view name;
  // Null: the value is not kept, whatever its type.
  Field (*field)(Config&) = nullptr;
  Effect effect = Effect::kEffective;
  // Words that a string may be, or the words of an enumeration in its order. Empty = any.
  Words words = {};
  // Bounds of numbers, in the unit of the file.
  double min = 0;
  double max = static_cast<double>(std::numeric_limits<int64_t>::max());
  // Milliseconds in one unit of a duration.
  int64_t unit = 1000;
  // An explicit 0 or empty word means the default, as an absent key does.
  bool zero_is_default = false;
  // Names a file that must exist.
  bool is_file = false;
};

std::span<const Key> hypervisor_keys();  // [hypervisor.<name>]
std::span<const Key> factory_keys();     // [factory] and [hypervisor.<name>.factory]
std::span<const Key> agent_keys();       // [agent.<name>]
std::span<const Key> runtime_keys();     // [runtime]

const Key* find_key(std::span<const Key> keys, std::string_view name);

struct Value;
// Checks `value` against the row and stores it. The message names neither key nor place: the caller
// knows both.
Status store(const Key& key, const Value& value, Config& config);
// Value of a key as TOML would write it.
std::string show(const Key& key, Config& config);

}  // namespace kata::config
