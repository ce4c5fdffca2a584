#pragma once

#include <string>
#include <vector>

#include "base/error.h"

// The sandboxes of this host as their folders and locks tell it.
namespace kata::cli {

struct SandboxFolders {
  std::string id;
  enum class Owner {
    kShim,      // its shim lives and holds the lock
    kStarting,  // too young to tell
    kNobody,    // left behind
    kForeign,   // has no journal of ours: another runtime's, which does not lock its folders
    kUnknown,   // `problem` says what kept us from looking
  };
  Owner owner = Owner::kNobody;
  std::string problem;
  std::vector<std::string> resources;  // lines of the journal, oldest first; of kNobody only
};

// Every id that has a folder below /run/vc/sbs or /run/vc/vm, sorted. Names that are no ids are
// left alone. The answer is that of the moment: no lock is kept.
Result<std::vector<SandboxFolders>> list_sandboxes();

// The one id that is `word` or begins with it; kNotFound and kInvalidArgument (several) list what
// there is.
Result<std::string> pick_sandbox(const std::vector<std::string>& ids, const std::string& word);
Result<std::string> find_sandbox(const std::string& word);

}  // namespace kata::cli
