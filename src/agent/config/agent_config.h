#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace kata::agent {

// What the agent was told by kernel command line, configuration file, environment and arguments
// (facts/agent-behaviour.md section 2). Plain data; a bad value never stops the agent: it keeps the
// default and leaves a line in `warnings`, logged once the log exists.
struct AgentConfig {
  log::Level log_level = log::Level::kInfo;
  std::string server_addr = "vsock://-1:1024";
  uint32_t log_vport = 0;  // 0 = standard output
  bool debug_console = false;
  uint32_t debug_console_vport = 0;  // 0 = /dev/console
  // Bytes of stdout and stderr pipes; 0 = the kernel's choice. Large, because the host takes at
  // most a pipe's content per call; the kernel spends memory only on what is in the pipe.
  uint64_t container_pipe_size = 1 << 20;
  std::chrono::seconds hotplug_timeout{3};
  bool resource_view = true;  // containers see their limits (docs/design/agent.md)
  std::string config_file;
  // Bundles, the shared tree and sandbox files live below; only tests move it.
  std::string run_dir = "/run/kata-containers";

  // An agent on a unix socket is an ordinary process on somebody's machine: it serves containers
  // but leaves hostname, resolv.conf, clock and the like alone.
  bool owns_guest() const { return server_addr.starts_with("vsock:"); }
  std::string shared_dir() const { return run_dir + "/shared/containers"; }

  std::vector<std::string> warnings;
};

// Applies one `name[=value]` (without the "agent." prefix). False when the name is not an agent
// key.
bool apply_option(std::string_view name, bool has_value, std::string_view value,
                  AgentConfig* config);

// Reads the words of a kernel command line in any order; words that are not ours are skipped.
void parse_kernel_command_line(std::string_view line, AgentConfig* config);

// KATA_AGENT_SERVER_ADDR and KATA_AGENT_LOG_LEVEL win over the kernel command line.
void apply_environment(AgentConfig* config);

// Flat TOML: `key = value` lines with the same names as the kernel words; tables and arrays are
// reported as warnings. Fails only when the file cannot be read.
Status apply_config_file(const std::string& path, AgentConfig* config);
void parse_config_text(std::string_view text, AgentConfig* config);

}  // namespace kata::agent
