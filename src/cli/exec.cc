#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/sandbox_list.h"

// exec
namespace kata::cli {
namespace {

struct Options {
  std::string sandbox;
  uint32_t port = 1026;
  std::vector<std::string> command;
};

Result<int> enter(const Options& options) {
  TRY(std::string id, find_sandbox(options.sandbox));
  std::string line;
  if (!options.command.empty()) {
    TRY(line, command_line_of(options.command));
  }
  TRY(UniqueFd guest, in_step("debug console of " + id, connect_guest(id, options.port)));
  if (line.empty()) return join_console(std::move(guest));
  return run_in_console(std::move(guest), line);
}

int run(const Options& options) {
  auto status = enter(options);
  return status ? *status : report(status.error());
}

}  // namespace

void add_exec(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "exec",
      "A shell in the guest of a sandbox (debug console), or one command in it; Ctrl-] three "
      "times leaves a shell that hangs");
  command->add_option("SANDBOX", options->sandbox, "Id of a sandbox, or its beginning")->required();
  command->add_option("COMMAND", options->command, "Behind `--`: run it and exit with its status");
  command->add_option("-p,--kata-debug-port", options->port, "Port of the console in the guest")
      ->capture_default_str();
  command->callback([&context, options] { context.command = [options] { return run(*options); }; });
}

}  // namespace kata::cli
