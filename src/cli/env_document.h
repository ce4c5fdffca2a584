#pragma once

#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/host.h"

namespace kata::cli {

// What `env` tells, in upstream's names and order (facts/cli-and-monitor.md section 1.5).
struct EnvInput {
  HostFacts host;
  VmMode mode;
  std::vector<std::string> protections;
  std::string vmm_version;
  std::string program;  // this program's path
  bool root = false;
};
nlohmann::ordered_json env_document(config::LoadedConfig& loaded, const EnvInput& input);

// The same of this host and the configuration that holds; an error when that cannot be used.
Result<nlohmann::ordered_json> read_env(const Context& context);

// Tables as Go's TOML encoder writes them: values first, inner tables indented by two blanks.
std::string toml_text(const nlohmann::ordered_json& document);

}  // namespace kata::cli
