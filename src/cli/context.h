#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"  // printable(): nobody writes to an administrator's terminal but us
#include "config/loader.h"

namespace CLI {
class App;
}

// What the commands of kata-runtime share. One process runs one command on one thread.
namespace kata::cli {

// Options before the command (facts/cli-and-monitor.md section 1.1).
struct GlobalOptions {
  std::string config;
  std::string log = "/dev/null";
  std::string log_format = "text";
  std::string root = "/var/run/kata-containers";  // of the OCI commands; not used by these
  std::string rootless = "auto";                  // likewise
  bool systemd_cgroup = false;                    // likewise
  bool show_default_config_paths = false;
  bool version = false;
};

struct Context {
  GlobalOptions global;
  // The chosen command; returns the exit status. Set while parsing, run afterwards.
  std::function<int()> command;
};

// Exit status of a command that failed.
inline constexpr int kFailed = 1;

// To stdout and stderr. A reader that went away is no error.
void say(std::string_view text);
void complain(std::string_view text);
// "kata-runtime: TEXT" on stderr, and kFailed.
int report(const Error& error);
// The file that --config names, or the first of the usual places.
Result<std::string> config_path(const Context& context);
// The same, loaded. Warnings are the caller's to show.
Result<config::LoadedConfig> load_config(const Context& context,
                                         const config::LoadOptions& options = {});

// A sandbox id as upstream's tools take it; never a path.
Status check_id(std::string_view id);

}  // namespace kata::cli
