#pragma once

#include <string>
#include <vector>

#include "config/loader.h"

namespace kata::cli {

// What `config check` found in a file and its drop-ins, errors included.
struct ConfigReport {
  std::string path;
  std::vector<config::Finding> findings;  // in the order of their lines
  size_t errors = 0;                      // unknown keys count: nobody means them
  size_t warnings = 0;
};

ConfigReport check_config(const std::string& path);
// One line per finding and a last one that says what follows.
std::string render(const ConfigReport& report);

}  // namespace kata::cli
