#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands.h"
#include "cli/env_document.h"

// env, kata-env
namespace kata::cli {
namespace {

int run(const Context& context, bool json) {
  auto document = read_env(context);
  if (!document) {
    const int status = report(document.error());
    complain("`kata-runtime config check` lists everything that is wrong with the file.\n");
    return status;
  }
  if (json) {
    say(document->dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } else {
    say(toml_text(*document));
  }
  return 0;
}

}  // namespace

Result<nlohmann::ordered_json> read_env(const Context& context) {
  TRY(auto loaded, load_config(context));
  std::error_code ignored;
  EnvInput input;
  input.host = read_host();
  input.mode = find_mode(input.host, loaded.config.hypervisor.accel);
  input.protections = guest_protections();
  input.vmm_version = program_version(loaded.config.hypervisor.path);
  input.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  input.root = geteuid() == 0;
  return env_document(loaded, input);
}

void add_env(CLI::App& app, Context& context) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("env", "Print settings and facts of this host, for reports and scripts");
  command->alias("kata-env");
  command->add_flag("--json", *json, "JSON instead of TOML");
  command->callback(
      [&context, json] { context.command = [&context, json] { return run(context, *json); }; });
}

}  // namespace kata::cli
