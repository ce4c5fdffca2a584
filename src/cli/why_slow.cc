#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/phase_report.h"
#include "cli/sandbox_list.h"
#include "runtime/sandbox_paths.h"

// why-slow
namespace kata::cli {
namespace {

// The node's log and its older half.
std::vector<Start> node_starts() {
  std::vector<Start> all;
  const std::string log(runtime::kPhaseLog);
  for (const std::string& path : {log + ".1", log}) {
    auto text = read_file(path);
    if (!text) continue;
    for (Start& start : parse_starts(*text)) all.push_back(std::move(start));
  }
  return all;
}

// Of a living sandbox its own record, which is newer; else the last one in the node's log.
Result<Start> find_start(const std::string& word, const std::vector<Start>& log) {
  auto living = find_sandbox(word);
  if (living) {
    auto text = read_file(runtime::SandboxPaths(*living).phases);
    if (text) return in_step("phase record of " + *living, parse_start(*text));
  } else if (living.error().code() == Code::kInvalidArgument) {
    return std::unexpected(living.error());
  }
  for (auto start = log.rbegin(); start != log.rend(); ++start) {
    if (start->sandbox == word || (living && start->sandbox == *living)) return *start;
  }
  if (!living) return std::unexpected(living.error());
  return fail(Code::kNotFound, "sandbox " + *living +
                                   " has no phase record: its first container has not started yet");
}

int run(const std::string& word) {
  const std::vector<Start> log = node_starts();
  auto start = find_start(word, log);
  if (!start) return report(start.error());
  say(why_slow(*start, log));
  return 0;
}

}  // namespace

void add_why_slow(CLI::App& app, Context& context) {
  auto word = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "why-slow", "Compare the phases of a sandbox's start with the median of this node");
  command->add_option("SANDBOX", *word, "Id of a sandbox, or its beginning")->required();
  command->callback([&context, word] { context.command = [word] { return run(*word); }; });
}

}  // namespace kata::cli
