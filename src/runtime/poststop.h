#pragma once

#include <string>
#include <vector>

#include "base/task.h"
#include "journal/journal.h"

// The debt of poststop hooks. A container whose earlier hooks may have run owes them, whatever
// becomes of it: the journal remembers, so that they run also when the shim was killed. They are
// crossed out before they run: at most once.
namespace kata::runtime {

// kind "poststop", fields: container, bundle.
journal::Entry poststop_entry(const std::string& container_id, const std::string& bundle);

using PoststopDebts = std::vector<journal::Entry>;

// undo_all(). The poststop hooks that the journal lists are crossed out and put into `owed`, also
// when something else could not be undone. Blocking.
Status undo_sandbox(const std::string& journal_path, journal::UndoOptions options,
                    PoststopDebts& owed);
// Runs them as the bundles' config.json has them, within `limit` for all of them together. Their
// failures are warnings. To be called when nothing else is left to free: hooks may be slow, and
// they follow the end of their container. Blocking.
void pay_poststop(const PoststopDebts& owed, Clock::duration limit);
// They are lost, with a warning: the bundles may be those of another container by now.
void drop_poststop(const PoststopDebts& owed);

}  // namespace kata::runtime
