#pragma once

#include <string>

#include "base/task.h"
#include "storage/virtiofsd_args.h"

namespace kata::storage {

// Which daemon a program is, found by its --version text (--help when that is not enough). A few
// milliseconds, at most 2 x 5 s; remembered until the file changes. kNotFound for an absent
// program, kInvalidArgument for one that is neither.
Task<Result<VirtiofsdDialect>> probe_virtiofsd(std::string path);

}  // namespace kata::storage
