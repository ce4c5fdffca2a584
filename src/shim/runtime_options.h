#pragma once

#include <string>
#include <string_view>

#include "wkt/any.pb.h"

// Options of a runtime handler, wherever containerd puts them (facts/shim-v2.md section 1.3).
namespace kata::shim {

// ConfigPath; empty when there is none or the options are of another runtime (ctr and Docker send
// runc's).
std::string config_path_of(const kata::wkt::Any& options);

// The same from the standard input of `start`: an Any, from containerd 2.3 on a BootstrapParams
// that names the shim's `id`, or nothing.
std::string config_path_of_start(std::string_view input, std::string_view id);

}  // namespace kata::shim
