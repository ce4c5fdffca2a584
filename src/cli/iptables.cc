#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/management.h"
#include "cli/sent_file.h"

// iptables get, iptables set
namespace kata::cli {
namespace {

struct Options {
  std::string sandbox;
  std::string file;
  bool v6 = false;
};

http::Ask request_of(const Options& options) {
  http::Ask request;
  request.target = options.v6 ? "/ip6tables" : "/iptables";
  request.limit = kShimLimit;
  return request;
}

// The agent of either make, when the guest's image lacks the programs.
bool lacks_programs(const Error& error) {
  const std::string text = error.message();
  return text.find("the guest image has none of") != std::string::npos ||
         text.find("No such file or directory") != std::string::npos;
}

int refused(const Error& error) {
  const int status = report(error);
  if (lacks_programs(error)) {
    complain(
        "The guest needs iptables-save and iptables-restore: " KATA_PREFIX
        "/deploy/initrd/add_iptables.py makes an initrd that has them; name it in "
        "[hypervisor.qemu] and start the pod anew. Or set the rules from an init container of the "
        "pod that has NET_ADMIN, and iptables in its image.\n");
  }
  return status;
}

int get(const Options& options) {
  auto rules = ask_shim(options.sandbox, request_of(options));
  if (!rules) return refused(rules.error());
  // The guest's words: no terminal gets them as they are, what reads them from a pipe does.
  say(isatty(STDOUT_FILENO) ? printable(*rules) : *rules);
  return 0;
}

int set(const Options& options) {
  http::Ask request = request_of(options);
  request.method = "PUT";
  auto text = read_sent_file(options.file);
  if (!text) return report(text.error());
  request.body = std::move(*text);
  auto done = ask_shim(options.sandbox, std::move(request));
  return done ? 0 : refused(done.error());
}

CLI::App* add_verb(CLI::App& parent, const char* name, const char* summary,
                   const std::shared_ptr<Options>& options) {
  CLI::App* command = parent.add_subcommand(name, summary);
  command->add_option("--sandbox-id", options->sandbox, "Id of the sandbox, or its beginning")
      ->type_name("ID")
      ->required();
  command->add_flag("--v6", options->v6, "The rules for IPv6");
  return command;
}

}  // namespace

void add_iptables(CLI::App& app, Context& context) {
  CLI::App* parent = app.add_subcommand("iptables", "Read and set the packet filter of a guest");
  auto options = std::make_shared<Options>();
  add_verb(*parent, "get", "Print the rules as iptables-save writes them", options)
      ->callback([&context, options] { context.command = [options] { return get(*options); }; });
  CLI::App* setter =
      add_verb(*parent, "set",
               "Replace the rules of the tables that the text names (iptables-restore)", options);
  setter->add_option("FILE", options->file, "The text that iptables-restore takes; - is stdin")
      ->required();
  setter->callback([&context, options] { context.command = [options] { return set(*options); }; });
  parent->require_subcommand(1);
}

}  // namespace kata::cli
