#pragma once

#include <string>

#include "cli/check_host.h"
#include "cli/context.h"

// What `doctor` finds: host, configuration, installation and leftovers.
namespace kata::cli {

HostReport diagnose(const Context& context);
// One line per item, and one with what to do.
std::string diagnosis_text(const HostReport& host);

}  // namespace kata::cli
