#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "config/loader.h"

namespace kata::config {

inline constexpr char kAnnotationPrefix[] = "io.katacontainers.config.";

// Lays the annotations of a sandbox upon its configuration (facts/configuration.md section 8), then
// checks the result like a file.
//
// Refused, with the names that are allowed and the file to edit: annotations of the hypervisor that
// enable_annotations does not list, paths outside the valid_* lists, wrong values, what a pod may
// never set (sandbox_bind_mounts), and what would be a false promise to ignore (asset hashes,
// initdata). Unknown names become warnings. Annotations never choose the configuration file
// (CVE-2026-50540).
Status apply_annotations(const std::map<std::string, std::string>& annotations,
                         LoadedConfig* loaded);

}  // namespace kata::config
