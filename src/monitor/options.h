#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::monitor {

// Flags of kata-monitor (facts/cli-and-monitor.md section 6), one dash or two.
struct Options {
  std::string listen_address = "127.0.0.1:8090";
  // Accepted and not used: pods are known without asking a container manager.
  std::string runtime_endpoint = "/run/containerd/containerd.sock";
  std::string log_level = "info";
  bool version = false;
  bool help = false;
};

Result<Options> parse_options(const std::vector<std::string>& arguments);
std::string_view usage();
std::string version_text();

struct Address {
  std::string host;  // as written, without brackets; empty = all addresses
  uint16_t port = 0;
};
// "127.0.0.1:8090", "[::1]:8090", ":8090". Names other than localhost are refused: nothing is
// looked up.
Result<Address> parse_address(const std::string& text);

}  // namespace kata::monitor
