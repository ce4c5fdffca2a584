#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/management.h"

// metrics
namespace kata::cli {
namespace {

int run(const std::string& word) {
  http::Ask request;
  request.target = "/metrics";
  request.limit = 10s;
  auto text = ask_shim(word, std::move(request));
  if (!text) return report(text.error());
  say(*text + "\n");
  return 0;
}

}  // namespace

void add_metrics(CLI::App& app, Context& context) {
  auto word = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "metrics", "Print the figures of a sandbox and its guest as Prometheus text");
  command->add_option("SANDBOX", *word, "Id of a sandbox, or its beginning")->required();
  command->callback([&context, word] { context.command = [word] { return run(*word); }; });
}

}  // namespace kata::cli
