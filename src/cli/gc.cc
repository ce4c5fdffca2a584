#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/sandbox_list.h"
#include "runtime/sandbox_lock.h"
#include "runtime/sandbox_paths.h"
#include "shim/free_sandbox.h"

// gc
namespace kata::cli {
namespace {

void tell(const SandboxFolders& orphan) {
  say("left behind: " + orphan.id + "\n");
  for (const std::string& line : orphan.resources) say("  " + printable(line) + "\n");
}

// Holds the sandbox's lock, so that no shim takes the id meanwhile. The bundle is containerd's to
// remove; the journal needs no other places than its own.
Status free_locked(const std::string& id) {
  const runtime::SandboxPaths paths(id);
  TRY(UniqueFd lock, runtime::lock_sandbox(paths));
  return shim::free_sandbox(id, paths.state);
}

bool remove(const SandboxFolders& orphan) {
  auto freed = free_locked(orphan.id);
  if (freed) {
    say("  removed\n");
    return true;
  }
  complain(orphan.id + ": " + printable(freed.error().message()) +
           "; what could not be freed stays in its journal, so that gc can be tried again\n");
  return false;
}

struct Count {
  size_t living = 0, orphans = 0, foreign = 0, failed = 0;
};

void handle(const SandboxFolders& sandbox, bool removing, Count& count) {
  switch (sandbox.owner) {
    case SandboxFolders::Owner::kShim:
    case SandboxFolders::Owner::kStarting:
      ++count.living;
      return;
    case SandboxFolders::Owner::kForeign:
      ++count.foreign;
      return;
    case SandboxFolders::Owner::kUnknown:
      ++count.failed;
      complain(sandbox.id + ": " + printable(sandbox.problem) + "\n");
      return;
    case SandboxFolders::Owner::kNobody:
      ++count.orphans;
      tell(sandbox);
      if (removing && !remove(sandbox)) ++count.failed;
  }
}

int run(bool removing) {
  if (geteuid() != 0) {
    return report(Error(Code::kPermissionDenied, "gc needs to be run by root, who owns sandboxes"));
  }
  auto sandboxes = list_sandboxes();
  if (!sandboxes) return report(sandboxes.error());
  Count count;
  for (const SandboxFolders& sandbox : *sandboxes) handle(sandbox, removing, count);
  std::string text =
      std::to_string(count.living) + " in use, " + std::to_string(count.orphans) + " left behind";
  if (count.foreign) {
    text += ", " + std::to_string(count.foreign) + " of another runtime (no journal; left alone)";
  }
  if (count.orphans && !removing) {
    text += "; nothing was touched: `kata-runtime gc --remove` frees them";
  }
  say(text + "\n");
  return count.failed ? kFailed : 0;
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
