#include <cstdlib>

#include "agent/config/agent_config.h"

namespace kata::agent {

void parse_kernel_command_line(std::string_view line, AgentConfig* config) {
  constexpr std::string_view kSpace = " \t\r\n";
  constexpr std::string_view kPrefix = "agent.";
  while (true) {
    size_t begin = line.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return;
    line.remove_prefix(begin);
    std::string_view word = line.substr(0, line.find_first_of(kSpace));
    line.remove_prefix(word.size());

    if (!word.starts_with(kPrefix)) continue;
    word.remove_prefix(kPrefix.size());
    size_t equals = word.find('=');
    bool has_value = equals != std::string_view::npos;
    std::string_view name = word.substr(0, equals);
    std::string_view value = has_value ? word.substr(equals + 1) : std::string_view();
    if (!apply_option(name, has_value, value, config)) {
      config->warnings.push_back("unknown kernel parameter agent." + std::string(name));
    }
  }
}

void apply_environment(AgentConfig* config) {
  if (const char* address = getenv("KATA_AGENT_SERVER_ADDR")) {
    apply_option("server_addr", true, address, config);
  }
  if (const char* level = getenv("KATA_AGENT_LOG_LEVEL")) {
    apply_option("log", true, level, config);
  }
}

}  // namespace kata::agent
