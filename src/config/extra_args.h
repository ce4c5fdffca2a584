#pragma once

#include "base/error.h"
#include "config/config.h"

// Additional virtiofsd arguments. The daemon's own sandbox, its socket and its shared folder are
// the runtime's business: no configuration may touch them (CVE-2026-47243).
namespace kata::config {

// For the file of the administrator: everything but what undermines the sandbox.
Status check_extra_args(const TextList& args);
// For an annotation: only listed tuning options (CVE-2026-44210).
Status check_pod_extra_args(const TextList& args);

}  // namespace kata::config
