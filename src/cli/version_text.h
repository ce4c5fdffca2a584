#pragma once

#include <string>

namespace kata::cli {

inline constexpr char kOciVersion[] = "1.2.1";
extern const char* const kCommit;

// Upstream's three lines, then our own release.
std::string version_text();
int print_version();

}  // namespace kata::cli
