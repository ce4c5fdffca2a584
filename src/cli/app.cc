#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/log_file.h"
#include "cli/version_text.h"
#include "config/search.h"

namespace kata::cli {
namespace {

void add_global_options(CLI::App& app, GlobalOptions& global) {
  app.add_option("--config,--kata-config", global.config, "Configuration file")->type_name("FILE");
  app.add_option("--log", global.log, "File that log lines are added to")->type_name("FILE");
  app.add_option("--log-format", global.log_format, "Form of log lines: text or json")
      ->type_name("FORMAT");
  app.add_option("--root", global.root, "State folder of the OCI commands")->type_name("DIR");
  app.add_option("--rootless", global.rootless, "true, false or auto; accepted, no effect")
      ->type_name("WORD");
  app.add_flag("--systemd-cgroup", global.systemd_cgroup, "Accepted, no effect");
  app.add_flag("--show-default-config-paths,--kata-show-default-config-paths",
               global.show_default_config_paths,
               "Print where configuration files are looked for, first one first");
  app.add_flag("-v,--version", global.version, "Print the version");
}

// Long options of the program and of all its commands.
bool is_long_option(const CLI::App& app, const std::string& name) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->check_lname(name)) return true;
  }
  return std::ranges::any_of(app.get_subcommands({}), [&](const CLI::App* command) {
    return is_long_option(*command, name);
  });
}

int print_default_paths() {
  for (const std::string& path : config::default_paths()) say(path + "\n");
  return 0;
}

// What the words mean, when they do not name a command.
int without_command(const CLI::App& app, const Context& context) {
  if (context.global.show_default_config_paths) return print_default_paths();
  if (context.global.version) return print_version();
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) {
    say(app.help());
    return 0;
  }
  const std::string word = printable(rest.front());
  if (word.starts_with('-')) {
    complain("kata-runtime: unknown option \"" + word + "\"\n");
  } else {
    complain("Invalid command \"" + word + "\"\n");
  }
  complain("`kata-runtime --help` lists commands and options.\n");
  return kFailed;
}

int parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    const CLI::App* shown = &app;
    for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = shown->get_subcommands()) {
      shown = chosen.front();
    }
    say(shown->help());
    return 0;
  }
  complain(std::string("kata-runtime: ") + printable(error.what()) +
           "\n`kata-runtime --help` and `kata-runtime COMMAND --help` show what is possible.\n");
  return kFailed;
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Context& context) {
  auto app = std::make_unique<CLI::App>(
      "Looks after containers that run in virtual machines: checks, settings, access, clean-up.",
      "kata-runtime");
  add_global_options(*app, context.global);
  // Inherited: the program's options are also understood behind a command.
  app->fallthrough();
  add_check(*app, context);
  add_collect_data(*app, context);
  add_completion(*app, context);
  add_config(*app, context);
  add_direct_volume(*app, context);
  add_doctor(*app, context);
  add_env(*app, context);
  add_exec(*app, context);
  add_factory(*app, context);
  add_gc(*app, context);
  add_iptables(*app, context);
  add_memory(*app, context);
  add_metrics(*app, context);
  add_policy(*app, context);
  add_version(*app, context);
  add_why_slow(*app, context);
  app->require_subcommand(0, 1);
  // Last, so that it is the program's alone: unknown words are explained by without_command().
  app->allow_extras();
  app->footer(
      "Commands that need no configuration work with a broken one too. Every failure exits with "
      "1.");
  return app;
}

std::vector<std::string> with_long_dashes(const CLI::App& app, std::vector<std::string> arguments) {
  for (std::string& word : arguments) {
    if (word == "--") break;
    if (word.size() < 3 || word[0] != '-' || word[1] == '-') continue;
    const std::string name = word.substr(1, word.find('=') - 1);
    if (is_long_option(app, name)) word.insert(0, "-");
  }
  return arguments;
}

int run_command_line(std::vector<std::string> arguments) {
  Context context;
  auto app = make_app(context);
  arguments = with_long_dashes(*app, std::move(arguments));
  std::ranges::reverse(arguments);  // the parser takes them from the end
  try {
    app->parse(arguments);
  } catch (const CLI::ParseError& error) {
    return parse_failure(*app, error);
  }
  if (auto opened = open_log(context.global); !opened) return report(opened.error());
  const bool asked = context.global.show_default_config_paths || context.global.version;
  if (context.command && !app->remaining().empty()) {
    complain("kata-runtime: unexpected argument \"" + printable(app->remaining().front()) +
             "\"\n`kata-runtime COMMAND --help` shows what the command takes.\n");
    return kFailed;
  }
  if (asked || !context.command) return without_command(*app, context);
  return context.command();
}

}  // namespace kata::cli
