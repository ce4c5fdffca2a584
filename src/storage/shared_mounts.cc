// SharedTree: bind mounts of the spec.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "storage/bind.h"
#include "storage/host_mounts.h"
#include "storage/id_mapped.h"
#include "storage/mount_table.h"
#include "storage/shared_tree.h"

namespace kata::storage {

namespace {

constexpr uint64_t kVolumeAttributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;

struct BindWords {
  bool readonly = false;
  bool recursive = false;
  bool slave = false;      // mounts that the host makes later are to arrive
  bool shared = false;     // those of the container are to arrive on the host, too
  bool map_below = false;  // id maps hold for what is mounted below, too
};

BindWords read_options(const grpc::Mount& mount) {
  BindWords words;
  for (const auto& option : mount.options()) {
    if (option == "ro" || option == "rro") words.readonly = true;
    if (option == "rw" || option == "rrw") words.readonly = false;
    if (option == "rbind") words.recursive = true;
    if (option.ends_with("private") || option.ends_with("unbindable")) {
      words.slave = words.shared = false;
    }
    if (option == "ridmap") words.map_below = true;
    if (option == "slave" || option == "rslave") words.slave = true;
    if (option == "shared" || option == "rshared") words.slave = words.shared = true;
  }
  return words;
}

bool asks_for_mapping(const grpc::Mount& mount) {
  return std::ranges::any_of(mount.options(), [](const std::string& option) {
    return option == "idmap" || option == "ridmap";
  });
}

// A mount that asks for id maps and names none means those of its container (runtime-spec, "Mount
// options").
grpc::Mount with_id_mappings(grpc::Mount mount, const grpc::Linux& container) {
  if (!asks_for_mapping(mount) || mount.uidmappings_size() + mount.gidmappings_size() > 0) {
    return mount;
  }
  *mount.mutable_uidmappings() = container.uidmappings();
  *mount.mutable_gidmappings() = container.gidmappings();
  return mount;
}

// Devices that every guest has under the same name; nullptr for others.
const char* common_device(const struct stat& info) {
  static constexpr struct {
    unsigned major, minor;
    const char* path;
  } kDevices[] = {{1, 3, "/dev/null"},   {1, 5, "/dev/zero"},    {1, 7, "/dev/full"},
                  {1, 8, "/dev/random"}, {1, 9, "/dev/urandom"}, {5, 0, "/dev/tty"}};
  if (!S_ISCHR(info.st_mode)) return nullptr;
  for (const auto& device : kDevices) {
    if (info.st_rdev == makedev(device.major, device.minor)) return device.path;
  }
  return nullptr;
}

// `source` was opened in the host's mount namespace.
bool host_mount_is_private(int source) {
  struct statx info {};
  if (statx(source, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) < 0) return false;
  std::vector<MountEntry> table;
  auto read = in_host_mounts([&]() -> Status {
    TRY(table, read_mount_table());
    return {};
  });
  if (!read) return false;
  const auto own = std::ranges::find(table, uint64_t{info.stx_mnt_id}, &MountEntry::id);
  return own != table.end() && !own->propagates;
}

// <cid>-<16 hex>-<name of the destination>, at most NAME_MAX bytes of plain characters.
Result<std::string> volume_name(const std::string& container_id, const std::string& destination) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) return fail_errno("getrandom");
  char hex[17];
  snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(random));
  std::string name = container_id + "-" + hex + "-";
  for (char c : basename(destination)) {
    const bool plain = isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    if (name.size() < NAME_MAX) name += plain ? c : '_';
  }
  return name;
}

}  // namespace

Result<std::optional<grpc::Mount>> SharedTree::share_mount(const std::string& container_id,
                                                           const grpc::Mount& mount,
                                                           const std::string& bundle) {
  std::string path = mount.source();
  if (!path.starts_with('/')) path = bundle + "/" + path;
  // Opened once; everything after works on what was opened.
  TRY(UniqueFd source, open_on_host(path, O_PATH));
  struct stat info {};
  if (fstat(source.get(), &info) < 0) return fail_errno("stat " + path);
  const IdMappings ids{id_mappings(mount.uidmappings()), id_mappings(mount.gidmappings())};
  grpc::Mount guest = mount;
  forget_id_mappings(&guest);
  if (const char* device = common_device(info)) {
    guest.set_source(device);
    return guest;
  }
  const log::Fields fields{
      {"container", container_id}, {"source", path}, {"destination", mount.destination()}};
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    log::warn("a device of the host is not shared with the guest", fields);
    return std::nullopt;
  }
  if (S_ISSOCK(info.st_mode) || S_ISFIFO(info.st_mode)) {
    log::warn(
        "a socket or fifo of the host is shared as a file only: guest and host cannot talk through "
        "it; mount the folder that it lies in for sockets among containers, and let the pod reach "
        "services of the host by their network address",
        fields);
  }
  const BindWords words = read_options(mount);
  if (words.shared) {
    log::warn("mounts that the container makes in a shared volume stay in the guest", fields);
  }
  // A later mount comes with attributes of its own: it would be a writable place in a read-only
  // volume.
  const bool follow = words.slave && !words.readonly;
  if (follow && !warned_private_ && host_mount_is_private(source.get())) {
    warned_private_ = true;  // true for all of a host whose / is private
    log::warn(
        "later mounts of the host will not be seen in this volume: the mount that it lies on "
        "is private; on the host, mount --make-rshared it before the pod starts",
        fields);
  }
  TRY(UniqueFd copy, clone_on_host(source.get(), words.recursive, follow ? MS_SLAVE : MS_PRIVATE));
  const uint64_t attributes = kVolumeAttributes | (words.readonly ? MOUNT_ATTR_RDONLY : 0);
  TRY_STATUS(set_mount_attributes(copy.get(), attributes, 0, true));
  if (!ids.empty()) TRY_STATUS(map_ids(copy.get(), ids, words.map_below, path));
  TRY(std::string name, volume_name(container_id, mount.destination()));
  TRY_STATUS(attach(container_id, Shared{name, S_ISDIR(info.st_mode)}, copy.get()));
  guest.set_type("bind");
  guest.set_source(std::string(kGuestShared) + "/" + name);
  return guest;
}

Result<std::map<int, std::optional<grpc::Mount>>> SharedTree::share_mounts(
    const std::string& container_id, const grpc::Spec& spec, const oci::GuestContext& context) {
  std::map<int, std::optional<grpc::Mount>> mounts;
  for (int index : oci::host_binds(spec, context)) {
    const grpc::Mount mount = with_id_mappings(spec.mounts(index), spec.linux());
    TRY(mounts[index], in_step("mounts[" + std::to_string(index) + "] on " + mount.destination(),
                               share_mount(container_id, mount, context.bundle)));
  }
  return mounts;
}

Status SharedTree::share_sandbox_mounts(const std::vector<std::string>& entries) {
  for (std::string path : entries) {
    const bool writable = path.ends_with(":rw");
    if (writable || path.ends_with(":ro")) path.resize(path.size() - 3);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto share = [&]() -> Status {
      TRY(UniqueFd source, open_on_host(path, O_PATH));
      struct stat info {};
      if (fstat(source.get(), &info) < 0) return fail_errno("stat " + path);
      if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
        return fail(Code::kInvalidArgument, path + " is neither a folder nor a file");
      }
      TRY(UniqueFd copy, clone_on_host(source.get(), true));
      const uint64_t attributes = kVolumeAttributes | (writable ? 0 : MOUNT_ATTR_RDONLY);
      TRY_STATUS(set_mount_attributes(copy.get(), attributes, 0, true));
      const std::string name = std::string(kSandboxMounts) + "/" + basename(path);
      return attach(std::string(kSandboxMounts), Shared{name, S_ISDIR(info.st_mode)}, copy.get());
    };
    TRY_STATUS(in_step("sandbox_bind_mounts", share()));
  }
  return {};
}

}  // namespace kata::storage
