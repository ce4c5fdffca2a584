#pragma once

#include "cli/context.h"

namespace kata::cli {

// Log lines go to the file of --log in the form of --log-format. kInvalidArgument for an unknown
// form.
Status open_log(const GlobalOptions& options);

}  // namespace kata::cli
