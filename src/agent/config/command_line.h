#pragma once

#include <string>

#include "agent/config/agent_config.h"

namespace kata::agent {

// Arguments of the program.
struct CommandLine {
  bool show_version = false;
  std::string config_file;  // --config, -c
  std::string server_addr;  // --server-addr
  std::string run_dir;      // --run-dir
};

Result<CommandLine> parse_command_line(int argc, char** argv);

// Kernel command line (when PID 1 or inside a guest: whenever vsock is served), then the
// configuration file, then environment, then arguments; the later one wins.
AgentConfig load_config(const CommandLine& arguments);

}  // namespace kata::agent
