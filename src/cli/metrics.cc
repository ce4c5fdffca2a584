#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/sandbox_list.h"
#include "http/client.h"
#include "runtime/sandbox_paths.h"

// metrics
namespace kata::cli {
namespace {

constexpr Clock::duration kLimit = 10s;

Task<> fetch(std::string socket, Result<std::string>* text) {
  http::Get request;
  request.socket = std::move(socket);
  request.target = "/metrics";
  request.limit = kLimit;
  *text = co_await http::get_text(std::move(request));
}

Result<std::string> management_socket(const std::string& id) {
  const std::string own = runtime::SandboxPaths(id).management;
  if (path_exists(own)) return own;
  return fail(Code::kNotFound, "sandbox " + id + " has no socket " + own +
                                   "; is it still starting, or has its shim died (`kata-runtime "
                                   "gc` lists those)?");
}

Result<std::string> metrics_of(const std::string& word) {
  TRY(std::string id, find_sandbox(word));
  TRY(std::string socket, management_socket(id));
  asio::io_context loop(1);
  Result<std::string> text = fail(Code::kInternal, "not asked");
  spawn(loop.get_executor(), fetch(socket, &text));
  loop.run();
  return in_step("figures of sandbox " + id, std::move(text));
}

int run(const std::string& word) {
  auto text = metrics_of(word);
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
