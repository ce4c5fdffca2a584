#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kata::shim {

// What a stdio value of containerd asks for (facts/shim-v2.md section 9).
struct StdioUri {
  enum class Scheme { kNone, kFifo, kFile, kBinary, kBinaryV2 };
  Scheme scheme = Scheme::kNone;  // kNone = stream not wanted
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  // first value of each key, in order
};

// kInvalidArgument for a broken value, kUnimplemented for a scheme of another kind.
Result<StdioUri> parse_stdio_uri(std::string_view value);

}  // namespace kata::shim
