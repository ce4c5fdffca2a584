#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace kata::config {

// /etc first, then the installation prefix, then the places of other packagings. Compiled in.
const std::vector<std::string>& default_paths();

// First of: `option` (ConfigPath of the create request), KATA_CONF_FILE, the default path that
// exists. Never an annotation: pods must not choose (CVE-2026-50540). kNotFound lists what was
// tried.
Result<std::string> find(const std::string& option);

}  // namespace kata::config
