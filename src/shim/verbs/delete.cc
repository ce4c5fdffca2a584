#include "shim/verbs/delete.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "containerd/task.pb.h"
#include "oci/annotations.h"
#include "oci/spec.h"
#include "runtime/sandbox_lock.h"
#include "shim/address.h"
#include "shim/events/publisher.h"
#include "shim/free_sandbox.h"
#include "shim/verbs/old_daemon.h"
#include "storage/unmount.h"

namespace kata::shim {

namespace {

constexpr uint32_t kKilled = 137;  // 128 + SIGKILL, by convention

// containerd removed the bundle while we were starting: the task was deleted in the normal way, and
// a new one may have its name by now. Nothing of it may be touched.
bool bundle_is_gone() {
  struct stat info {};
  return stat(".", &info) < 0 || info.st_nlink == 0;
}

uint32_t read_pid(const std::string& path) {
  auto text = read_file(path);
  long pid = text ? strtol(text->c_str(), nullptr, 10) : 0;
  return pid > 0 ? static_cast<uint32_t>(pid) : 0;
}

// A broken spec counts as a sandbox of its own: the journal of an id that has none is empty.
bool belongs_to_a_pod(const Options& options, const std::string& bundle) {
  auto spec = oci::load_bundle(bundle);
  if (!spec) return false;
  if (options.is_of_crio()) oci::drop_unfiltered(&*spec);
  auto type = oci::container_type(*spec);
  return type && *type == oci::ContainerType::kPodContainer;
}

Status free_task(const Options& options, const std::string& bundle) {
  Status first;
  if (!belongs_to_a_pod(options, bundle)) {
    std::string address = socket_address(options.address, options.containerd_namespace, options.id);
    TRY(std::string socket, socket_path(address));
    const OldDaemon daemon{options.id, socket, read_pid(bundle + "/shim.pid")};
    TRY(bool gone, end_old_daemon(daemon));
    if (gone) {
      auto lock = runtime::lock_sandbox_patiently(runtime::SandboxPaths(options.id));
      // Held by a living shim: the folders of this id are those of a sandbox in another namespace.
      const bool foreign = !lock && lock.error().code() == Code::kAlreadyExists;
      if (!foreign) first = free_sandbox(options.id, bundle);
      auto removed = remove_file(socket);
      if (first) first = removed;
    }
  }
  auto unmounted = storage::unmount_tree(bundle + "/rootfs");
  return first ? unmounted : first;
}

}  // namespace

Result<std::string> delete_leftovers(const Options& options) {
  std::string bundle = options.bundle;
  if (bundle.empty()) bundle = std::filesystem::current_path().string();
  containerd::task::v2::DeleteResponse response;
  response.set_exit_status(kKilled);
  *response.mutable_exited_at() = to_timestamp(std::chrono::system_clock::now());
  if (bundle_is_gone()) return response.SerializeAsString();
  uint32_t pid = read_pid(bundle + "/init.pid");
  response.set_pid(pid ? pid : read_pid(bundle + "/shim.pid"));
  TRY_STATUS(free_task(options, bundle));
  return response.SerializeAsString();
}

}  // namespace kata::shim
