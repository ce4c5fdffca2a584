#pragma once

#include <string>

#include "config/loader.h"

namespace kata::cli {

// Every key with its value and where it came from; with `only_set` those that a file sets.
std::string show_toml(config::LoadedConfig& loaded, bool only_set);
std::string show_json(config::LoadedConfig& loaded, bool only_set);

}  // namespace kata::cli
