#include <fcntl.h>

#include "agent/container/child_steps.h"
#include "agent/container/console.h"
#include "agent/container/entry.h"
#include "agent/container/session.h"
#include "base/file.h"

namespace kata::agent {
Status extra_process(const LaunchConfig& config) {
  TRY_STATUS(enter_by_birth(config, 0));
  TRY_STATUS(new_session(config.id));
  Console console;
  if (config.spec.process().terminal()) {
    TRY(UniqueFd root, open_file("/", O_PATH | O_DIRECTORY));
    TRY(console, open_console(root.get(), config.spec.process().consolesize()));
  }
  return run_program(config, console);
}

}  // namespace kata::agent
