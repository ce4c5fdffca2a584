#include "storage/memory_volume.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdlib>

#include "base/file.h"
#include "storage/host_mounts.h"
#include "storage/id_mapped.h"

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

bool is_limited(const MountEntry& entry) {
  return ("," + entry.options).find(",size=") != std::string::npos;
}

std::string mode_option(mode_t mode) {
  return "mode=" + octal(mode);
}

// What kind of memory a folder is; 0 for ordinary ones.
int64_t memory_type(const struct statfs& system) {
  const auto type = static_cast<uint32_t>(system.f_type);
  return type == TMPFS_MAGIC || type == HUGETLBFS_MAGIC ? type : 0;
}

Result<uint64_t> huge_size(const struct statfs& system, const grpc::Spec& spec) {
  const auto page = static_cast<uint64_t>(system.f_bsize);
  for (const auto& limit : spec.linux().resources().hugepagelimits()) {
    if (parse_page_size(limit.pagesize()) == page && limit.limit() >= page) return limit.limit();
  }
  if (system.f_blocks > 0) return uint64_t{system.f_blocks} * page;
  const std::string name =
      page % (1 << 30) == 0 ? std::to_string(page >> 30) + "Gi" : std::to_string(page >> 20) + "Mi";
  return fail(Code::kInvalidArgument,
              "medium HugePages, but the container has no limit for such pages: give it "
              "resources.limits hugepages-" +
                  name);
}

// What an id of the node's files becomes behind an idmapped mount; itself without one.
uint32_t mapped(uint32_t id, const std::vector<IdMapping>& maps) {
  for (const IdMapping& map : maps) {
    if (id >= map.inside && id - map.inside < map.size) return map.outside + (id - map.inside);
  }
  return id;
}

// The volume itself: same kind, size, mode and owner as the node's.
Result<grpc::Storage> volume_storage(const VolumePlace& place, const grpc::Spec& spec,
                                     const IdMappings& ids) {
  struct stat info {};
  struct statfs system {};
  if (stat(place.point.c_str(), &info) < 0 || statfs(place.point.c_str(), &system) < 0) {
    return fail_errno("volume " + place.point);
  }
  grpc::Storage storage;
  storage.set_driver("ephemeral");
  storage.set_mount_point(std::string(kGuestEphemeral) + "/" + place.name);
  if (memory_type(system) == HUGETLBFS_MAGIC) {
    TRY(uint64_t size, in_step("volume " + place.point, huge_size(system, spec)));
    storage.set_source("nodev");
    storage.set_fstype("hugetlbfs");
    storage.add_options("pagesize=" + std::to_string(system.f_bsize) +
                        ",size=" + std::to_string(size));
    storage.add_options(mode_option(info.st_mode));
  } else {
    storage.set_source("tmpfs");
    storage.set_fstype("tmpfs");
    storage.add_options(mode_option(info.st_mode));
    if (place.limited && system.f_blocks > 0) {
      storage.add_options("size=" + std::to_string(uint64_t{system.f_blocks} *
                                                   static_cast<uint64_t>(system.f_bsize)));
    }
  }
  const uint32_t owner = mapped(info.st_uid, ids.uids), group = mapped(info.st_gid, ids.gids);
  if (owner != 0) storage.add_options("uid=" + std::to_string(owner));
  if (!ids.empty()) storage.add_options("gid=" + std::to_string(group));
  if (info.st_gid != 0) storage.add_options("fsgid=" + std::to_string(group));
  return storage;
}

// The folder of a subPath, which kubelet has made on the node only.
grpc::Storage folder_storage(const std::string& path, mode_t mode) {
  grpc::Storage storage;
  storage.set_driver("local");
  storage.set_source("local");
  storage.set_fstype("local");
  storage.set_mount_point(path);
  storage.add_options(mode_option(mode));
  return storage;
}

bool is_memory_folder(int fd, struct stat* info) {
  struct statfs system {};
  return fstat(fd, info) == 0 && S_ISDIR(info->st_mode) && fstatfs(fd, &system) == 0 &&
         memory_type(system) != 0;
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
  return VolumePlace{basename(volume->point), volume->point, inside, is_limited(*volume)};
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
    const IdMappings ids{id_mappings(mount.uidmappings()), id_mappings(mount.gidmappings())};
    forget_id_mappings(&mount);
    TRY(grpc::Storage volume, volume_storage(*place, spec, ids));
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

bool follows_memory(const grpc::Storage& storage) {
  if (storage.driver() != "ephemeral" || storage.fstype() != "tmpfs") return false;
  for (const auto& word : storage.options()) {
    if (word.starts_with("size=")) return false;
  }
  return true;
}

grpc::Storage resized_to_memory(const std::string& mount_point) {
  grpc::Storage storage;
  storage.set_driver("ephemeral");
  storage.set_source("tmpfs");
  storage.set_fstype("tmpfs");
  storage.set_mount_point(mount_point);
  storage.add_options("size=50%");  // as without a word
  return storage;
}

uint64_t parse_page_size(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || number > 1024) return 0;
  if (unit == "KB") return number << 10;
  if (unit == "MB") return number << 20;
  if (unit == "GB") return number << 30;
  return 0;
}

}  // namespace kata::storage
