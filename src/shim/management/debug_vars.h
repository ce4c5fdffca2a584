#pragma once

#include <string>

#include "http/server.h"

namespace kata::shim {

// /debug/vars and /debug/pprof/, which upstream serves from its language's runtime: what there is
// of it here. Profiles are for perf(1), which needs no help of the program.
http::Response answer_debug(const std::string& path);

}  // namespace kata::shim
