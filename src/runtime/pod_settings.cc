#include "runtime/pod_settings.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace kata::runtime {

namespace {

constexpr char kShm[] = "/dev/shm";

grpc::Mount* mount_on(grpc::Spec* spec, const std::string& destination) {
  auto found = std::ranges::find_if(*spec->mutable_mounts(), [&](const grpc::Mount& mount) {
    return mount.destination() == destination;
  });
  return found == spec->mutable_mounts()->end() ? nullptr : &*found;
}

void make_bind(grpc::Mount* mount, const std::string& source, const char* access) {
  mount->set_type("bind");
  mount->set_source(source);
  mount->clear_options();
  for (const char* option : {"rbind", "rprivate", access}) mount->add_options(option);
}

// The guest has one for the pod; the source is a name only, its size the usual one.
void share_shm(grpc::Spec* spec) {
  grpc::Mount* mount = mount_on(spec, kShm);
  if (mount && mount->type() != "tmpfs") return;
  if (!mount) {
    mount = spec->add_mounts();
    mount->set_destination(kShm);
  }
  make_bind(mount, "shm", "rw");
}

}  // namespace

void drop_forgotten_files(const std::string& root, const std::string& states) {
  auto names = list_dir(root);
  if (!names) return;
  for (const std::string& name : *names) {
    if (path_exists(states + "/" + name)) continue;
    if (auto gone = remove_tree(root + "/" + name); !gone) {
      log::failure("files of a former pod stay", gone.error(), {{"folder", root + "/" + name}});
    }
  }
}

Status write_files(PodSettings* pod, const std::string& folder) {
  TRY_STATUS(make_dir(folder, 0700));
  for (auto& [destination, source] : pod->files) {
    const std::string path = folder + "/" + basename(destination);
    TRY_STATUS(write_file(path, source, 0644));
    source = path;
  }
  return {};
}

void complete_with(const PodSettings& pod, grpc::Spec* spec) {
  for (const auto& [destination, source] : pod.files) {
    if (mount_on(spec, destination)) continue;
    grpc::Mount* mount = spec->add_mounts();
    mount->set_destination(destination);
    make_bind(mount, source, spec->root().readonly() ? "ro" : "rw");
    // Root of a user namespace owns them, too.
    if (spec->linux().uidmappings_size() > 0) mount->add_options("idmap");
  }
  share_shm(spec);
  auto* sysctls = spec->mutable_linux()->mutable_sysctl();
  for (const auto& [key, value] : pod.sysctls) sysctls->insert({key, value});
}

}  // namespace kata::runtime
