#pragma once

#include <string>

#include "base/error.h"

namespace kata::cli {

// What a command sends to a shim: the text of a file, or of stdin for "-". At most what the
// management service takes (1 MiB); kResourceExhausted beyond.
Result<std::string> read_sent_file(const std::string& path);

}  // namespace kata::cli
