#include "agent/config/agent_config.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Value of a TOML basic or literal string, number or word; a comment behind it is dropped.
std::string_view plain_value(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text[0] == '"' || text[0] == '\'')) {
    size_t end = text.find(text[0], 1);
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  return trimmed(text.substr(0, text.find('#')));
}

void apply_line(std::string_view name, std::string_view value, AgentConfig* config) {
  // A flag is a bare word on the kernel command line and a bool here.
  bool is_flag = value == "true" || value == "false";
  if (value == "false") return;
  if (!apply_option(name, !is_flag, is_flag ? "" : value, config)) {
    config->warnings.push_back("unknown key " + std::string(name) + " in the configuration file");
  }
}

}  // namespace

void parse_config_text(std::string_view text, AgentConfig* config) {
  bool in_table = false;
  while (!text.empty()) {
    size_t newline = text.find('\n');
    std::string_view line = trimmed(text.substr(0, newline));
    text = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      in_table = true;
      config->warnings.push_back("table " + std::string(line) +
                                 " of the configuration file skipped");
      continue;
    }
    if (in_table) continue;
    size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      config->warnings.push_back("line without '=' in the configuration file skipped");
      continue;
    }
    apply_line(trimmed(line.substr(0, equals)), plain_value(line.substr(equals + 1)), config);
  }
}

Status apply_config_file(const std::string& path, AgentConfig* config) {
  TRY(std::string text, read_file(path, 1 << 20));
  parse_config_text(text, config);
  return {};
}

}  // namespace kata::agent
