#include "storage/id_mapped.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "storage/bind.h"
#include "storage/unmount.h"

namespace kata::storage {

namespace {

constexpr mode_t kFolderMode = 0700;

Status map_with(int mount_fd, int userns, bool recursive, const std::string& what) {
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(userns);
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  if (mount_setattr(mount_fd, "", flags, &attributes, sizeof attributes) == 0) return {};
  if (errno == EINVAL) {
    return fail(Code::kUnimplemented, "the file system of " + what +
                                          " cannot show its files with other owners (idmapped "
                                          "mounts), which a pod with a user namespace needs");
  }
  return fail_errno("map the ids of " + what);
}

Status attach_layer(const std::string& layer, const std::string& place, int userns) {
  TRY(UniqueFd source, open_file(layer, O_PATH | O_DIRECTORY));
  TRY(UniqueFd mount, clone_mount(source.get(), false));
  TRY_STATUS(map_with(mount.get(), userns, false, layer));
  TRY_STATUS(make_dir(place, kFolderMode));
  TRY(UniqueFd target, open_file(place, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return attach_mount(mount.get(), target.get());
}

// Replaces the lower folders by numbers below `folder`.
Status map_layers(const std::string& folder, const IdMappings& maps,
                  std::vector<std::string>* options) {
  const auto lower =
      std::ranges::find_if(*options, [](auto& o) { return o.starts_with(kLowerOption); });
  if (lower == options->end()) {
    return fail(Code::kInvalidArgument, "overlay without lower folders");
  }
  TRY(auto userns, make_user_namespace(maps));
  const auto layers = lower_folders(*lower);
  *lower = kLowerOption;
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string number = std::to_string(i);
    TRY_STATUS(attach_layer(layers[i], folder + "/" + number, userns.front().get()));
    *lower += (i > 0 ? ":" : "") + number;
  }
  return {};
}

}  // namespace

Status map_ids(int mount_fd, const IdMappings& maps, bool recursive, const std::string& what) {
  TRY(auto userns, make_user_namespace(maps));
  return map_with(mount_fd, userns.front().get(), recursive, what);
}

void forget_id_mappings(grpc::Mount* mount) {
  mount->clear_uidmappings();
  mount->clear_gidmappings();
  auto* options = mount->mutable_options();
  options->erase(std::remove_if(options->begin(), options->end(),
                                [](const std::string& option) {
                                  return option == "idmap" || option == "ridmap";
                                }),
                 options->end());
}

Status mount_mapped_overlay(const std::string& target, const std::string& folder,
                            unsigned long flags, std::vector<std::string> options,
                            const IdMappings& maps) {
  TRY_STATUS(make_dir(folder, kFolderMode));
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0) {
    return fail_errno("folder of the mapped layers");
  }
  Status mounted = map_layers(folder, maps, &options);
  if (mounted) {
    auto data = join_mount_data("overlay", std::move(options));
    if (data) {
      data->folder = folder;
      mounted = mount_in_folder("overlay", target, "overlay", flags, *data);
    } else {
      mounted = std::unexpected(std::move(data.error()));
    }
  }
  TRY_STATUS(unmount_tree(folder));
  if (rmdir(folder.c_str()) < 0) return fail_errno("remove " + folder);
  return mounted;
}

}  // namespace kata::storage
