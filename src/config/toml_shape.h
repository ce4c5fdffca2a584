#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kata::config {

// Refuses what common sense forbids and toml++ 3.3 cannot take: keys of more than 100 parts (it
// destroys nested tables recursively). Everything else is left to the parser.
Status check_toml_shape(std::string_view text, const std::string& file);

}  // namespace kata::config
