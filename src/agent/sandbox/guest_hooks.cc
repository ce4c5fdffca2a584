#include "agent/sandbox/guest_hooks.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

// Seconds. Nobody who starts a container knows of these programs: they must not hold it for ever.
constexpr int64_t kTimeout = 10;

std::vector<grpc::Hook> scan_kind(const std::string& folder, const std::string& kind) {
  std::vector<grpc::Hook> hooks;
  auto names = list_dir(folder);
  if (!names) return hooks;
  std::ranges::sort(*names);
  for (const auto& name : *names) {
    std::string path = folder + "/" + name;
    struct stat info {};
    if (lstat(path.c_str(), &info) < 0 || !S_ISREG(info.st_mode) || !(info.st_mode & 0111)) {
      log::warn("not a hook: no executable regular file", {{"path", path}});
      continue;
    }
    grpc::Hook hook;
    hook.set_path(path);
    hook.add_args(name);
    hook.add_args(kind);
    hook.set_timeout(kTimeout);
    hooks.push_back(std::move(hook));
  }
  return hooks;
}

}  // namespace

GuestHooks GuestHooks::scan(const std::string& path) {
  GuestHooks hooks;
  hooks.prestart_ = scan_kind(path + "/prestart", "prestart");
  hooks.poststart_ = scan_kind(path + "/poststart", "poststart");
  hooks.poststop_ = scan_kind(path + "/poststop", "poststop");
  return hooks;
}

void drop_foreign_hooks(grpc::Spec* spec) {
  if (spec->hooks().createcontainer().empty()) return;
  auto* hooks = spec->mutable_hooks()->mutable_createcontainer();
  for (int i = hooks->size() - 1; i >= 0; --i) {
    const std::string& path = hooks->Get(i).path();
    if (!path.starts_with('/') || path_exists(path)) continue;
    log::warn("createContainer hook left out: the guest has no such program", {{"path", path}});
    hooks->DeleteSubrange(i, 1);
  }
}

void GuestHooks::append_to(grpc::Spec* spec) const {
  for (const auto& hook : prestart_) *spec->mutable_hooks()->add_prestart() = hook;
  for (const auto& hook : poststart_) *spec->mutable_hooks()->add_poststart() = hook;
  for (const auto& hook : poststop_) *spec->mutable_hooks()->add_poststop() = hook;
}

}  // namespace kata::agent
