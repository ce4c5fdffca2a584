#pragma once

#include <memory>

#include "http/server.h"
#include "runtime/sandbox.h"

namespace kata::shim {

// GET /direct-volume/stats?path=P and POST /direct-volume/resize with {"VolumePath":P,"Size":BYTES}
// (facts/cli-and-monitor.md section 5). P is the path of a volume or its device.
Task<http::Response> answer_direct_volume(std::shared_ptr<runtime::Sandbox> sandbox,
                                          http::Request request);

}  // namespace kata::shim
