#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::shim {

// Command line of the shim (facts/shim-v2.md section 2.1). Go-style flags: one dash or two, the
// value after '=' or as the next argument; parsing stops at the first word that is no flag.
struct Options {
  std::string containerd_namespace;
  std::string address;         // containerd's gRPC socket path; empty with CRI-O
  std::string publish_binary;  // accepted, not used: events go over ttrpc
  std::string id;
  std::string bundle;       // `delete` only; empty = the working directory
  std::string socket;       // listen here instead of on fd 3
  std::string config_path;  // daemon only: what `start` was told, for a sandbox of the Sandbox API
  bool debug = false;
  bool version = false;
  bool info = false;
  std::string action;  // "start", "delete", or empty = serve

  // CRI-O speaks containerd's calls, takes some answers differently, and lays the annotations of a
  // pod's author over its own; so it is known by what nobody in a pod can say.
  bool is_of_crio() const { return address.empty(); }
};

// `arguments` without the program's name. kInvalidArgument names the flag that is unknown or
// broken.
Result<Options> parse_options(const std::vector<std::string>& arguments);

// What an invocation needs beyond syntax: a namespace and an id for everything but -version, -info.
Status check_options(const Options& options);

std::string_view usage();

}  // namespace kata::shim
