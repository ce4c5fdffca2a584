#pragma once

#include <string>

namespace kata::config {

// Where a value was set: "/etc/kata-containers/configuration.toml:12", or an annotation's name when
// there is no line.
struct Origin {
  std::string file;
  int line = 0;
  std::string text() const { return line ? file + ":" + std::to_string(line) : file; }
};

}  // namespace kata::config
