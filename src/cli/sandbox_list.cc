#include "cli/sandbox_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "base/file.h"
#include "cli/context.h"
#include "journal/journal.h"
#include "runtime/sandbox_lock.h"

namespace kata::cli {
namespace {

// Between the making of its folder and taking its lock a sandbox looks like a leftover.
constexpr time_t kStartGrace = 10;

bool is_young(const std::string& folder) {
  struct stat info {};
  return lstat(folder.c_str(), &info) == 0 && time(nullptr) - info.st_ctime < kStartGrace;
}

Status add_ids(std::string_view root, std::set<std::string>& ids) {
  auto names = list_dir(std::string(root));
  if (!names) {
    if (names.error().code() == Code::kNotFound) return {};
    return in_step("list " + std::string(root), Status(std::unexpected(names.error())));
  }
  for (std::string& name : *names) {
    if (check_id(name)) ids.insert(std::move(name));
  }
  return {};
}

Result<std::set<std::string>> all_ids() {
  std::set<std::string> ids;
  TRY_STATUS(add_ids(runtime::kStateRoot, ids));
  TRY_STATUS(add_ids(runtime::kVmRoot, ids));
  return ids;
}

Status look_at(const runtime::SandboxPaths& paths, SandboxFolders& sandbox) {
  using Owner = SandboxFolders::Owner;
  if (is_young(paths.state) || (!path_exists(paths.state) && is_young(paths.vm))) {
    sandbox.owner = Owner::kStarting;
    return {};
  }
  auto lock = runtime::lock_sandbox(paths);
  if (!lock) {
    if (lock.error().code() != Code::kAlreadyExists) return std::unexpected(lock.error());
    sandbox.owner = Owner::kShim;
    return {};
  }
  if (!path_exists(paths.journal)) {
    sandbox.owner = Owner::kForeign;
    return {};
  }
  TRY(auto entries, journal::read_journal(paths.journal));
  for (const journal::Entry& entry : entries) sandbox.resources.push_back(journal::encode(entry));
  return {};
}

std::string joined(const std::vector<std::string>& words) {
  constexpr size_t kMost = 20;
  std::string text;
  for (size_t i = 0; i < words.size() && i < kMost; ++i) text += (i ? ", " : "") + words[i];
  return words.size() > kMost ? text + ", ..." : text;
}

}  // namespace

Result<std::vector<SandboxFolders>> list_sandboxes() {
  TRY(auto ids, all_ids());
  std::vector<SandboxFolders> all;
  for (const std::string& id : ids) {
    SandboxFolders sandbox;
    sandbox.id = id;
    if (auto looked = look_at(runtime::SandboxPaths(id), sandbox); !looked) {
      sandbox.owner = SandboxFolders::Owner::kUnknown;
      sandbox.problem = looked.error().message();
    }
    all.push_back(std::move(sandbox));
  }
  return all;
}

Result<std::string> pick_sandbox(const std::vector<std::string>& ids, const std::string& word) {
  TRY_STATUS(check_id(word));
  std::vector<std::string> found;
  for (const std::string& id : ids) {
    if (id == word) return id;
    if (id.starts_with(word)) found.push_back(id);
  }
  if (found.size() == 1) return found[0];
  if (found.size() > 1) {
    return fail(Code::kInvalidArgument, "\"" + word + "\" is the beginning of several sandboxes (" +
                                            joined(found) + "); give more of the id");
  }
  return fail(Code::kNotFound,
              "no sandbox \"" + word + "\" on this host; " +
                  (ids.empty() ? "there is none at all" : "there are: " + joined(ids)) +
                  " (a pod's containers live in the pod's sandbox: `crictl pods --no-trunc`)");
}

Result<std::string> find_sandbox(const std::string& word) {
  TRY(auto ids, all_ids());
  return pick_sandbox({ids.begin(), ids.end()}, word);
}

}  // namespace kata::cli
