#include "runtime/undo_options.h"

#include "network/undo.h"

namespace kata::runtime {

journal::UndoOptions undo_options(const std::string& bundle, int netns_fd) {
  journal::UndoOptions options;
  options.prefixes = {bundle};
  options.undoers = network::undoers(netns_fd);
  return options;
}

}  // namespace kata::runtime
