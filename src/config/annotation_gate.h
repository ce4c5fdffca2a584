#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

// Which pod annotations an administrator lets through. Nothing listed = nothing allowed, and an
// empty entry allows nothing (GHSA-fmg6-v47x-52wr).
namespace kata::config {

// enable_annotations: entries are extended regular expressions that may match anywhere in the name.
// An entry without any special character is a whole name: "enable_iommu" does not open
// enable_iommu_platform (tighter than upstream, see docs/design/configuration.md).
bool annotation_enabled(const TextList& patterns, std::string_view name);
// Fails when an entry is no regular expression.
Status check_annotation_pattern(const std::string& pattern);

// valid_*_paths: `path` is absolute, without "." and ".." parts, exists, and one glob of the list
// matches it part by part.
bool path_allowed(const TextList& globs, const std::string& path);

}  // namespace kata::config
