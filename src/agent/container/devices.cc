#include "agent/container/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <utility>

#include "agent/container/mount_ops.h"
#include "agent/container/mount_target.h"
#include "agent/container/words.h"
#include "base/file.h"
#include "base/path_beneath.h"

// Macros that would rewrite the message's fields of the same names.
#undef major
#undef minor

namespace kata::agent {
namespace {

struct DefaultDevice {
  const char* path;
  unsigned major, minor;
};
constexpr std::array<DefaultDevice, 6> kDefaults = {{{"/dev/null", 1, 3},
                                                     {"/dev/zero", 1, 5},
                                                     {"/dev/full", 1, 7},
                                                     {"/dev/random", 1, 8},
                                                     {"/dev/urandom", 1, 9},
                                                     {"/dev/tty", 5, 0}}};

constexpr std::array<std::pair<const char*, const char*>, 4> kLinks = {
    {{"/proc/self/fd", "fd"},
     {"/proc/self/fd/0", "stdin"},
     {"/proc/self/fd/1", "stdout"},
     {"/proc/self/fd/2", "stderr"}}};
constexpr char kCore[] = "/proc/kcore";

Result<mode_t> device_kind(const std::string& type) {
  if (type == "c" || type == "u") return S_IFCHR;
  if (type == "b") return S_IFBLK;
  if (type == "p") return S_IFIFO;
  return fail(Code::kInvalidArgument, "unknown device type \"" + type + "\"");
}

// The guest's own node of a device: that of the same name, or of a disk, which goes by a name of
// the container's choice, the one with its numbers.
Result<std::string> node_of(const grpc::LinuxDevice& device, const std::string& path) {
  if (device.type() != "b") return path;
  const std::string numbers = std::to_string(device.major()) + ":" + std::to_string(device.minor());
  char name[PATH_MAX];
  if (!realpath(("/sys/dev/block/" + numbers).c_str(), name)) {
    return fail_errno("block device " + numbers);
  }
  return "/dev/" + basename(name);
}

Status bind_device(RootfsContext* context, const grpc::LinuxDevice& device,
                   const std::string& path) {
  TRY(std::string node, node_of(device, path));
  TRY(UniqueFd tree, clone_mount(node, false));
  TRY(UniqueFd target, make_mount_target(context->root.get(), path, true));
  return attach_mount(tree.get(), target.get());
}

Status set_owner(int folder, const std::string& name, const grpc::LinuxDevice& device,
                 mode_t mode) {
  TRY(UniqueFd node, beneath::open(folder, name, O_PATH));
  if (fchownat(node.get(), "", device.uid(), device.gid(), AT_EMPTY_PATH) < 0 ||
      chmod(beneath::fd_path(node.get()).c_str(), mode) < 0) {
    return fail_errno("set owner and mode");
  }
  return {};
}

Status make_device(RootfsContext* context, const grpc::LinuxDevice& device) {
  std::string path = clean_path(device.path());
  if (!device.path().starts_with('/') || path == "/") {
    return fail(Code::kInvalidArgument, "device path is not absolute");
  }
  TRY(mode_t kind, device_kind(device.type()));
  mode_t mode = device.has_filemode() ? device.filemode() & 07777 : 0666;
  TRY(UniqueFd folder, beneath::make_dirs(context->root.get(), dirname(path), 0755, true));
  std::string name = basename(path);
  dev_t number =
      makedev(static_cast<unsigned>(device.major()), static_cast<unsigned>(device.minor()));
  if (mknodat(folder.get(), name.c_str(), kind | mode, number) < 0) {
    if (errno == EEXIST) return {};
    // A user namespace.
    if (errno == EPERM) return bind_device(context, device, path);
    return fail_errno("mknod");
  }
  return set_owner(folder.get(), name, device, mode);
}

bool in_spec(const grpc::Spec& spec, const char* path) {
  for (const grpc::LinuxDevice& device : spec.linux().devices()) {
    if (clean_path(device.path()) == path) return true;
  }
  return false;
}

Status make_link(int folder, const char* target, const char* name) {
  if (symlinkat(target, folder, name) < 0 && errno != EEXIST) {
    return fail_errno(std::string("link /dev/") + name);
  }
  return {};
}

Status make_links(RootfsContext* context) {
  TRY(UniqueFd dev, beneath::make_dirs(context->root.get(), "dev", 0755, true));
  for (auto [target, name] : kLinks) TRY_STATUS(make_link(dev.get(), target, name));
  // A kernel may be built without it.
  if (path_exists(kCore)) TRY_STATUS(make_link(dev.get(), kCore, "core"));
  // Whatever the image has there, the container's terminals come from its own devpts.
  if (unlinkat(dev.get(), "ptmx", 0) < 0 && errno != ENOENT) return fail_errno("remove /dev/ptmx");
  return make_link(dev.get(), "pts/ptmx", "ptmx");
}

}  // namespace

Status make_devices(RootfsContext* context) {
  for (const DefaultDevice& preset : kDefaults) {
    if (in_spec(context->spec(), preset.path)) continue;
    grpc::LinuxDevice device;
    device.set_path(preset.path);
    device.set_type("c");
    device.set_major(preset.major);
    device.set_minor(preset.minor);
    TRY_STATUS(in_step(std::string("create device ") + preset.path, make_device(context, device)));
  }
  for (const grpc::LinuxDevice& device : context->spec().linux().devices()) {
    TRY_STATUS(in_step("create device " + device.path(), make_device(context, device)));
  }
  return make_links(context);
}

}  // namespace kata::agent
