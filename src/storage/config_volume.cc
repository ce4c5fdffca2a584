#include "storage/config_volume.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "oci/watched_volume.h"
#include "storage/shared_tree.h"

namespace kata::storage {

namespace {

// Folders below <kubelet>/pods/<uid>/volumes.
constexpr std::string_view kPlugins[] = {"kubernetes.io~configmap", "kubernetes.io~secret",
                                         "kubernetes.io~projected", "kubernetes.io~downward-api"};

bool is_readonly(const grpc::Mount& mount) {
  bool readonly = false;
  for (const auto& option : mount.options()) {
    if (option == "ro" || option == "rro") readonly = true;
    if (option == "rw" || option == "rrw") readonly = false;
  }
  return readonly;
}

bool is_config_volume(const grpc::Mount& mount) {
  return is_readonly(mount) &&
         std::ranges::find(kPlugins, basename(dirname(mount.source()))) != std::end(kPlugins);
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

std::vector<ConfigVolume> place_config_volumes(const grpc::Spec& spec, const std::string& exported,
                                               oci::GuestContext* context) {
  std::vector<ConfigVolume> volumes;
  for (auto& [index, guest] : context->mounts) {
    if (!guest || dirname(guest->source()) != kGuestShared) continue;
    const std::string name = basename(guest->source());
    const std::string shared = exported + "/" + name;
    if (!is_config_volume(spec.mounts(index)) || !is_folder(shared)) continue;
    ConfigVolume volume;
    volume.host_path = shared;
    volume.storage.set_driver(std::string(oci::kWatchableDriver));
    volume.storage.set_source(guest->source());
    volume.storage.set_fstype("bind");
    volume.storage.add_options("ro");
    volume.storage.set_mount_point(std::string(kGuestWatchable) + "/" + name);
    guest->set_source(volume.storage.mount_point());
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

}  // namespace kata::storage
