#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands.h"
#include "cli/config_check.h"
#include "cli/config_show.h"

// config check, config show
namespace kata::cli {
namespace {

struct CheckOptions {
  std::string file;
  bool strict = false;
};

int run_check(const Context& context, const CheckOptions& options) {
  std::string path = options.file;
  if (path.empty()) {
    auto found = config_path(context);
    if (!found) return report(found.error());
    path = *found;
  }
  const ConfigReport report = check_config(std::filesystem::absolute(path).string());
  say(render(report));
  return report.errors || (options.strict && report.warnings) ? kFailed : 0;
}

struct ShowOptions {
  std::string file;
  bool effective = false;
  bool json = false;
};

int run_show(const Context& context, const ShowOptions& options) {
  Context chosen = context;
  if (!options.file.empty()) chosen.global.config = options.file;
  auto loaded = load_config(chosen);
  if (!loaded) {
    const int status = report(loaded.error());
    complain("`kata-runtime config check` lists everything that is wrong with the file.\n");
    return status;
  }
  const bool only_set = !options.effective;
  say(options.json ? show_json(*loaded, only_set) : show_toml(*loaded, only_set));
  return 0;
}

void add_config_check(CLI::App& parent, Context& context) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = parent.add_subcommand(
      "check", "Report every slip in a configuration file and its drop-ins, with its line");
  command->add_option("FILE", options->file, "Default: the file that sandboxes would use");
  command->add_flag("--strict", options->strict, "Exit with 1 for warnings too");
  command->callback([&context, options] {
    context.command = [&context, options] { return run_check(context, *options); };
  });
}

void add_config_show(CLI::App& parent, Context& context) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command =
      parent.add_subcommand("show", "Print the keys that the files set, and where they do");
  command->add_option("FILE", options->file, "Default: the file that sandboxes would use");
  command->add_flag("--effective", options->effective, "Every key, with its default or source");
  command->add_flag("--json", options->json, "JSON instead of TOML");
  command->callback([&context, options] {
    context.command = [&context, options] { return run_show(context, *options); };
  });
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("config", "Check and show configuration files");
  add_config_check(*command, context);
  add_config_show(*command, context);
  command->require_subcommand(1);
}

}  // namespace kata::cli
