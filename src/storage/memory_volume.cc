#include "storage/memory_volume.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/file.h"
#include "storage/host_mounts.h"

namespace kata::storage {

namespace {

// The folder of a pod's directory that kubelet keeps these volumes in.
constexpr std::string_view kPlugin = "kubernetes.io~empty-dir";

bool is_volume(const MountEntry& entry) {
  return entry.root == "/" && basename(dirname(entry.point)) == kPlugin;
}

std::string octal(mode_t mode) {
  char text[8];
  snprintf(text, sizeof text, "%04o", mode & 07777);
  return text;
}

// The volume itself: same size, mode and group as the node's.
Result<grpc::Storage> volume_storage(const VolumePlace& place) {
  struct stat info {};
  struct statvfs size {};
  if (stat(place.point.c_str(), &info) < 0 || statvfs(place.point.c_str(), &size) < 0) {
    return fail_errno("volume " + place.point);
  }
  grpc::Storage storage;
  storage.set_driver("ephemeral");
  storage.set_source("tmpfs");
  storage.set_fstype("tmpfs");
  storage.set_mount_point(std::string(kGuestEphemeral) + "/" + place.name);
  storage.add_options("mode=" + octal(info.st_mode));
  if (size.f_blocks > 0) {
    storage.add_options("size=" + std::to_string(uint64_t{size.f_blocks} * size.f_frsize));
  }
  if (info.st_gid != 0) storage.add_options("fsgid=" + std::to_string(info.st_gid));
  return storage;
}

// The folder of a subPath, which kubelet has made on the node only.
grpc::Storage folder_storage(const std::string& path, mode_t mode) {
  grpc::Storage storage;
  storage.set_driver("local");
  storage.set_source("local");
  storage.set_fstype("local");
  storage.set_mount_point(path);
  storage.add_options("mode=" + octal(mode));
  return storage;
}

bool is_memory_folder(int fd, struct stat* info) {
  struct statfs system {};
  return fstat(fd, info) == 0 && S_ISDIR(info->st_mode) && fstatfs(fd, &system) == 0 &&
         static_cast<uint64_t>(system.f_type) == TMPFS_MAGIC;
}

// The place of an open folder; nullopt when it is an ordinary one.
Result<std::optional<VolumePlace>> place_of(int folder, const std::string& source) {
  struct statx mount {};
  if (statx(folder, "", AT_EMPTY_PATH, STATX_MNT_ID, &mount) < 0) return fail_errno("statx");
  char path[PATH_MAX];
  if (!realpath(source.c_str(), path)) return fail_errno("volume " + source);
  TRY(auto table, read_mount_table());
  return find_memory_volume(table, mount.stx_mnt_id, path);
}

void add_once(std::vector<grpc::Storage>* storages, grpc::Storage storage) {
  const auto same = [&](const grpc::Storage& other) {
    return other.mount_point() == storage.mount_point();
  };
  if (std::ranges::none_of(*storages, same)) storages->push_back(std::move(storage));
}

}  // namespace

std::optional<VolumePlace> find_memory_volume(const std::vector<MountEntry>& table,
                                              uint64_t mount_id, const std::string& path) {
  const auto own = std::ranges::find(table, mount_id, &MountEntry::id);
  if (own == table.end() || (path != own->point && !path.starts_with(own->point + "/"))) {
    return std::nullopt;
  }
  const auto volume = std::ranges::find_if(table, [&](const MountEntry& entry) {
    return entry.device == own->device && is_volume(entry);
  });
  if (volume == table.end()) return std::nullopt;
  std::string inside = own->root == "/" ? "" : own->root;
  inside += path.substr(own->point.size());
  return VolumePlace{basename(volume->point), volume->point, inside};
}

namespace {

Result<std::vector<grpc::Storage>> place_here(const grpc::Spec& spec, oci::GuestContext* context) {
  std::vector<grpc::Storage> storages;
  for (int index : oci::host_binds(spec, *context)) {
    grpc::Mount mount = spec.mounts(index);
    if (!mount.source().starts_with('/')) continue;  // below the bundle
    auto source = open_file(mount.source(), O_PATH);
    struct stat info {};
    // What cannot be opened is reported by whoever shares it.
    if (!source || !is_memory_folder(source->get(), &info)) continue;
    TRY(auto place, place_of(source->get(), mount.source()));
    if (!place) continue;
    TRY(grpc::Storage volume, volume_storage(*place));
    const std::string guest_path = volume.mount_point() + place->inside;
    add_once(&storages, std::move(volume));
    if (!place->inside.empty()) add_once(&storages, folder_storage(guest_path, info.st_mode));
    mount.set_type("bind");
    mount.set_source(guest_path);
    context->mounts[index] = std::move(mount);
  }
  return storages;
}

}  // namespace

Result<std::vector<grpc::Storage>> place_memory_volumes(const grpc::Spec& spec,
                                                        oci::GuestContext* context) {
  std::vector<grpc::Storage> storages;
  TRY_STATUS(in_host_mounts([&]() -> Status {
    TRY(storages, place_here(spec, context));
    return {};
  }));
  return storages;
}

}  // namespace kata::storage
