#include "agent/config/command_line.h"

#include <unistd.h>

#include "base/file.h"

namespace kata::agent {

Result<CommandLine> parse_command_line(int argc, char** argv) {
  CommandLine line;
  // PID 1 gets words of the kernel command line that the kernel did not know: none is an error.
  const bool lenient = getpid() == 1;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    std::string* target = nullptr;
    if (word == "--version" || word == "-V") {
      line.show_version = true;
      continue;
    }
    if (word == "--config" || word == "-c") target = &line.config_file;
    if (word == "--server-addr") target = &line.server_addr;
    if (word == "--run-dir") target = &line.run_dir;
    if (target && i + 1 < argc) {
      *target = argv[++i];
    } else if (!lenient) {
      return fail(Code::kInvalidArgument,
                  (target ? "missing value of " : "unknown argument ") + word);
    }
  }
  return line;
}

AgentConfig load_config(const CommandLine& arguments) {
  AgentConfig config;
  if (auto words = read_file("/proc/cmdline")) {
    parse_kernel_command_line(*words, &config);
  } else {
    config.warnings.push_back("kernel command line: " + words.error().message());
  }
  std::string file = arguments.config_file.empty() ? config.config_file : arguments.config_file;
  if (!file.empty()) {
    if (auto read = apply_config_file(file, &config); !read) {
      config.warnings.push_back("configuration file: " + read.error().message());
    }
  }
  apply_environment(&config);
  if (!arguments.server_addr.empty()) config.server_addr = arguments.server_addr;
  if (!arguments.run_dir.empty()) config.run_dir = arguments.run_dir;
  return config;
}

}  // namespace kata::agent
