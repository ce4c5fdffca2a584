#include <CLI/CLI.hpp>

#include "cli/commands.h"

// factory init, status, destroy (facts/cli-and-monitor.md section 1.6). Sandboxes are booted, never
// copied from a template: with templates switched off the answers are upstream's, else they say so.
namespace kata::cli {
namespace {

enum class Verb { kInit, kStatus, kDestroy };

// "" when the configuration asks for neither.
std::string wanted(const config::FactoryConfig& factory) {
  if (factory.enable_template) return "enable_template = true";
  if (factory.vm_cache_number > 0) {
    return "vm_cache_number = " + std::to_string(factory.vm_cache_number);
  }
  return "";
}

std::string not_supported(const std::string& setting, const std::string& file) {
  return "[factory] " + setting +
         " is not supported by this runtime: there are no VM templates and no cache of VMs, and "
         "every sandbox is booted; remove the setting from " +
         file + " (`kata-runtime config check` names its line)";
}

int run(const Context& context, Verb verb) {
  auto loaded = load_config(context);
  if (!loaded) return report(loaded.error());
  const std::string setting = wanted(loaded->config.hypervisor.factory);
  const std::string refusal = not_supported(setting, loaded->path);
  switch (verb) {
    case Verb::kInit:
      if (!setting.empty()) return report(Error(Code::kUnimplemented, refusal));
      say("vm factory or VMCache is not enabled\n");
      return 0;
    case Verb::kStatus:
      say(setting.empty() ? "vm factory not enabled\n" : "vm factory is off\n");
      break;
    case Verb::kDestroy:
      // True whatever the setting: there is none.
      say("vm factory destroyed\n");
      break;
  }
  if (!setting.empty()) complain("kata-runtime: warning: " + printable(refusal) + "\n");
  return 0;
}

void add_verb(CLI::App& parent, Context& context, const char* name, const char* summary,
              Verb verb) {
  parent.add_subcommand(name, summary)->callback([&context, verb] {
    context.command = [&context, verb] { return run(context, verb); };
  });
}

}  // namespace

void add_factory(CLI::App& app, Context& context) {
  CLI::App* parent =
      app.add_subcommand("factory", "VM templates of upstream, which this runtime has not");
  add_verb(*parent, context, "init", "Tell whether templates are switched on", Verb::kInit);
  add_verb(*parent, context, "status", "Tell whether there is a template", Verb::kStatus);
  add_verb(*parent, context, "destroy", "Accepted: there is nothing to destroy", Verb::kDestroy);
  parent->require_subcommand(1);
}

}  // namespace kata::cli
