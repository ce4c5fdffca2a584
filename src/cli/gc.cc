#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/sandbox_list.h"
#include "runtime/sandbox_paths.h"
#include "shim/free_sandbox.h"

// gc
namespace kata::cli {
namespace {

void tell(const SandboxFolders& orphan) {
  say("left behind: " + orphan.id + "\n");
  for (const std::string& line : orphan.resources) say("  " + printable(line) + "\n");
}

// The bundle is containerd's to remove; the journal needs no other places than its own.
bool remove(const SandboxFolders& orphan) {
  auto freed = shim::free_sandbox(orphan.id, runtime::SandboxPaths(orphan.id).state);
  if (freed) {
    say("  removed\n");
    return true;
  }
  complain(orphan.id + ": " + printable(freed.error().message()) +
           "; what could not be freed stays in its journal, so that gc can be tried again\n");
  return false;
}

int run(bool removing) {
  if (geteuid() != 0) {
    return report(Error(Code::kPermissionDenied, "gc needs to be run by root, who owns sandboxes"));
  }
  auto sandboxes = list_sandboxes();
  if (!sandboxes) return report(sandboxes.error());
  size_t orphans = 0, failed = 0, living = 0;
  for (const SandboxFolders& sandbox : *sandboxes) {
    if (sandbox.owner != SandboxFolders::Owner::kNobody) {
      ++living;
      continue;
    }
    ++orphans;
    tell(sandbox);
    if (removing && !remove(sandbox)) ++failed;
  }
  say(std::to_string(living) + " in use, " + std::to_string(orphans) + " left behind" +
      (orphans && !removing ? "; nothing was touched: `kata-runtime gc --remove` frees them" : "") +
      "\n");
  return failed ? kFailed : 0;
}

}  // namespace

void add_gc(CLI::App& app, Context& context) {
  auto removing = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("gc", "List what sandboxes without a shim left on the host, or remove it");
  command->add_flag("--remove", *removing, "Free it; without, it is only listed");
  command->callback(
      [&context, removing] { context.command = [removing] { return run(*removing); }; });
}

}  // namespace kata::cli
