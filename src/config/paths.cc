#include <stdlib.h>

#include <memory>

#include "base/file.h"
#include "config/apply.h"
#include "config/keys.h"

namespace kata::config {
namespace {

const std::string kPrefix = KATA_PREFIX;
const std::string kAssets = kPrefix + "/share/kata-containers/";

Result<std::string> resolve(const std::string& path) {
  std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), &free);
  if (!real) return fail_errno(path);
  return std::string(real.get());
}

// The first candidate that exists, else empty.
std::string first_existing(const TextList& candidates) {
  for (const std::string& path : candidates) {
    if (path_exists(path)) return path;
  }
  return {};
}

std::string joined(const TextList& words) {
  std::string text;
  for (const Text& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

TextList program_places(HypervisorKind kind) {
  switch (kind) {
    case HypervisorKind::kQemu:
      return {kPrefix + "/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64",
              "/usr/libexec/qemu-kvm"};
    case HypervisorKind::kCloudHypervisor:
      return {kPrefix + "/bin/cloud-hypervisor", "/usr/bin/cloud-hypervisor"};
    case HypervisorKind::kFirecracker:
      return {kPrefix + "/bin/firecracker", "/usr/bin/firecracker"};
    case HypervisorKind::kStratovirt:
      return {kPrefix + "/bin/stratovirt", "/usr/bin/stratovirt"};
    default:
      return {};  // nothing to execute
  }
}

// Fills an unset path from the built-in places.
Status fill(LoadedConfig* loaded, std::string_view key, Text* member, const TextList& places) {
  if (!member->empty()) return {};
  *member = first_existing(places);
  if (!member->empty()) return {};
  return refuse(*loaded, hypervisor_key(*loaded, key),
                "is not set, and none of the built-in places exists (" + joined(places) +
                    "); set the key to an existing file",
                Code::kNotFound);
}

Status fill_guest_root(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  if (!vm.image.empty() || !vm.initrd.empty() || vm.confidential_guest) return {};
  const TextList initrds = {kAssets + "kata-containers-initrd.img"};
  const TextList images = {kAssets + "kata-containers.img"};
  vm.initrd = first_existing(initrds);
  if (!vm.initrd.empty()) return {};
  vm.image = first_existing(images);
  if (!vm.image.empty()) return {};
  return refuse(*loaded, hypervisor_key(*loaded, "initrd"),
                "neither image nor initrd is set, and the built-in places do not exist (" +
                    initrds[0] + ", " + images[0] + "); set one of the two keys",
                Code::kNotFound);
}

Status fill_daemon(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  if (vm.shared_fs != SharedFs::kVirtioFs && vm.shared_fs != SharedFs::kVirtioFsNydus) return {};
  const TextList places = {kPrefix + "/libexec/virtiofsd", "/usr/libexec/virtiofsd",
                           "/usr/lib/qemu/virtiofsd"};
  const std::string key = hypervisor_key(*loaded, "virtio_fs_daemon");
  if (vm.virtio_fs_daemon.empty()) {
    vm.virtio_fs_daemon = first_existing(places);
    if (!vm.virtio_fs_daemon.empty()) return {};
    return refuse(*loaded, key,
                  "is not set, and no virtiofsd was found (" + joined(places) +
                      "); install virtiofsd, set the key, or use shared_fs = \"virtio-9p\"",
                  Code::kNotFound);
  }
  if (path_exists(vm.virtio_fs_daemon)) return {};
  return refuse(*loaded, key,
                vm.virtio_fs_daemon +
                    " does not exist; install virtiofsd, correct the path, or use shared_fs = "
                    "\"virtio-9p\"",
                Code::kNotFound);
}

Status resolve_file(LoadedConfig* loaded, const std::string& name, Text* path) {
  if (!path->starts_with('/')) {
    return refuse(*loaded, name, "\"" + *path + "\" is not an absolute path");
  }
  auto real = resolve(*path);
  if (!real) {
    return refuse(
        *loaded, name,
        real.error().message() + "; correct the path, or remove the line to use the built-in one",
        real.error().code());
  }
  *path = std::move(*real);
  return {};
}

Status resolve_files(LoadedConfig* loaded) {
  for (const Key& key : hypervisor_keys()) {
    if (!key.is_file) continue;
    Text* path = std::get<Text*>(key.field(loaded->config));
    if (path->empty()) continue;
    TRY_STATUS(noted(loaded, resolve_file(loaded, hypervisor_key(*loaded, key.name), path)));
  }
  return {};
}

}  // namespace

Status settle_paths(LoadedConfig* loaded) {
  HypervisorConfig& vm = loaded->config.hypervisor;
  if (vm.kind == HypervisorKind::kRemote) return {};
  if (TextList places = program_places(vm.kind); !places.empty()) {
    TRY_STATUS(noted(loaded, fill(loaded, "path", &vm.path, places)));
  } else {
    vm.path.clear();
  }
  TRY_STATUS(noted(loaded, fill(loaded, "kernel", &vm.kernel,
                                {kAssets + "vmlinux.container", kAssets + "vmlinuz.container"})));
  TRY_STATUS(noted(loaded, fill_guest_root(loaded)));
  TRY_STATUS(noted(loaded, fill_daemon(loaded)));
  return resolve_files(loaded);
}

}  // namespace kata::config
