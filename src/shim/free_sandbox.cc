#include "shim/free_sandbox.h"

#include <chrono>

#include "base/file.h"
#include "runtime/poststop.h"
#include "runtime/sandbox_paths.h"
#include "runtime/undo_options.h"

namespace kata::shim {

namespace {

// containerd allows the whole clean-up 5 s.
constexpr std::chrono::milliseconds kKillWait{1000};
constexpr std::chrono::milliseconds kPatience{2500};
constexpr std::chrono::milliseconds kPoststopLimit{2000};

}  // namespace

Status free_sandbox(const std::string& id, const std::string& bundle) {
  const runtime::SandboxPaths paths(id);
  journal::UndoOptions undo = runtime::undo_options(bundle);
  undo.kill_wait = kKillWait;
  undo.patience = kPatience;
  runtime::PoststopDebts owed;
  auto freed = in_step("undo", runtime::undo_sandbox(paths.journal, undo, owed));
  if (freed) freed = remove_tree(paths.vm);
  if (freed) freed = remove_tree(paths.state);
  // Last: whoever loses patience with a hook and kills us finds the rest done.
  runtime::pay_poststop(owed, kPoststopLimit);
  return freed;
}

}  // namespace kata::shim
