#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/management.h"
#include "cli/memory_report.h"
#include "cli/sandbox_list.h"

// memory
namespace kata::cli {
namespace {

Result<std::string> page(const std::string& id, const char* target) {
  http::Ask request;
  request.target = target;
  request.limit = 10s;
  return ask_shim(id, std::move(request));
}

Result<SandboxMemory> shim_view(const std::string& id) {
  auto answer = page(id, "/memory");
  if (!answer && answer.error().code() == Code::kNotFound) {
    return fail(Code::kUnimplemented,
                "the shim of sandbox " + id +
                    " does not tell whose memory is whose; it is of an older release or of "
                    "upstream's, `kata-runtime metrics` shows what it counts");
  }
  if (!answer) return std::unexpected(answer.error());
  return parse_sandbox_memory(*answer);
}

Result<MemoryReport> measure(const std::string& word) {
  if (geteuid() != 0) {
    return fail(Code::kPermissionDenied, "memory needs to be run by root, who owns sandboxes");
  }
  MemoryReport report;
  TRY(report.sandbox, find_sandbox(word));
  // First, because every shim has this page: whoever lacks it is dead or silent.
  TRY(const std::string metrics, page(report.sandbox, "/metrics"));
  TRY(report.shim_view, shim_view(report.sandbox));
  report.guest = parse_guest_memory(metrics);
  TRY(report.shim, in_step("memory of the shim", host_memory(report.shim_view.shim)));
  TRY(report.vmm, in_step("memory of the VMM", host_memory(report.shim_view.vmm)));
  if (report.shim_view.fs) {
    TRY(report.fs, in_step("memory of the file-system daemon", family_memory(report.shim_view.fs)));
  }
  return report;
}

int run(const std::string& word, bool json) {
  auto measured = measure(word);
  if (!measured) return report(measured.error());
  say(json ? memory_json(*measured) : memory_text(*measured));
  return 0;
}

}  // namespace

void add_memory(CLI::App& app, Context& context) {
  auto word = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand(
      "memory",
      "Where the memory of a sandbox is, in its guest and on the host, and the overhead that its "
      "RuntimeClass should have");
  command->add_option("SANDBOX", *word, "Id of a sandbox, or its beginning")->required();
  command->add_flag("--json", *json, "JSON, in bytes");
  command->callback(
      [&context, word, json] { context.command = [word, json] { return run(*word, *json); }; });
}

}  // namespace kata::cli
