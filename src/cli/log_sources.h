#pragma once

#include <string>

#include "base/error.h"

// Where the words of the last hours are, for reports.
namespace kata::cli {

// The last lines that the runtime logged under the name "kata": of the journal, or of the files of
// a classical system log.
Result<std::string> runtime_log();
// Lines of the kernel's log about virtualization, vhost, and memory that ran out.
Result<std::string> kernel_log();

// The lines that hold one of the words, in any case.
std::string lines_with(std::string_view text, std::initializer_list<std::string_view> words);

}  // namespace kata::cli
