#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "config/loader.h"

namespace kata::config {

// One key of the effective configuration.
struct EffectiveKey {
  std::string section;  // "hypervisor.qemu"
  const Key* key = nullptr;
  std::string source;  // "FILE:LINE", "default", or why it is something else
  bool set = false;    // a file sets it

  bool has_value() const { return key->field != nullptr; }
};

// Every key that holds a value, each one once: of two spellings of a value the one that a file
// sets. In the order of the tables. Keys without a value are left out unless a file sets them.
std::vector<EffectiveKey> effective_keys(LoadedConfig& loaded);

}  // namespace kata::config
