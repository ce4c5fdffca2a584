#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/origin.h"

// configuration.toml and its drop-ins read into a Config (facts/configuration.md sections 1 to 6).
//
// Both dialects of upstream's files are accepted. An unknown key is a warning with its line; a
// wrong type, a value out of range or a missing file is an error that names key, file and line.
namespace kata::config {

// What was noticed while reading. Errors are here only with LoadOptions::keep_going.
struct Finding {
  enum class Kind { kError, kUnknown, kWarning, kNotEffective, kHistoric };
  Kind kind = Kind::kWarning;
  std::string text;  // one line, "FILE:LINE: key: text"
};

struct LoadedConfig {
  Config config;
  std::string path;                       // main file, symlinks resolved
  std::vector<std::string> drop_ins;      // in the order they were applied
  std::vector<std::string> warnings;      // each one line, "FILE:LINE: text"
  std::vector<Finding> findings;          // the warnings with their kinds, and errors
  bool keep_going = false;                // LoadOptions::keep_going was on
  bool paths_checked = false;             // LoadOptions::check_paths was on
  std::map<std::string, Origin> origins;  // "hypervisor.qemu.kernel" -> where; absent = default
};

struct LoadOptions {
  // Look at the files that path keys name: resolve them and fail when one is missing.
  bool check_paths = true;
  // As root, refuse configuration files that others could have written (CVE-2026-50540).
  bool check_owner = true;
  // Collect errors in `findings` instead of stopping at the first. For reports only: a sandbox must
  // not start with what comes back. Syntax errors still stop.
  bool keep_going = false;
};

// Reads one main file plus the fragments of config.d/ beside it.
Result<LoadedConfig> load(const std::string& path, const LoadOptions& options = {});

// The same from text, without drop-ins and without a look at the file system; `name` stands for the
// file name in messages.
Result<LoadedConfig> parse(std::string_view toml, const std::string& name);

// find() and load() in one step; `option` is the ConfigPath of the create request, may be empty.
Result<LoadedConfig> load_for_sandbox(const std::string& option);

}  // namespace kata::config
