#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/management.h"
#include "cli/sent_file.h"

// policy set
namespace kata::cli {
namespace {

int set(const std::string& sandbox, const std::string& file) {
  http::Ask request;
  request.target = "/policy";
  request.method = "PUT";
  request.limit = kShimLimit;
  auto text = read_sent_file(file);
  if (!text) return report(text.error());
  request.body = std::move(*text);
  auto done = ask_shim(sandbox, std::move(request));
  if (done) return 0;
  const int status = report(done.error());
  if (done.error().code() == Code::kUnimplemented) {
    complain(
        "No policy was set and none is enforced: the agent in this guest has no policy engine. An "
        "image with an agent of upstream that was built with one takes the policy.\n");
  }
  return status;
}

}  // namespace

void add_policy(CLI::App& app, Context& context) {
  struct Options {
    std::string sandbox, file;
  };
  auto options = std::make_shared<Options>();
  CLI::App* parent =
      app.add_subcommand("policy", "Give a sandbox the rules of what its agent may be asked for");
  CLI::App* command = parent->add_subcommand("set", "Replace the policy (rego)");
  command->add_option("--sandbox-id", options->sandbox, "Id of the sandbox, or its beginning")
      ->type_name("ID")
      ->required();
  command->add_option("FILE", options->file, "The policy; - is stdin")->required();
  command->callback([&context, options] {
    context.command = [options] { return set(options->sandbox, options->file); };
  });
  parent->require_subcommand(1);
}

}  // namespace kata::cli
