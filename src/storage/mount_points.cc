#include "storage/mount_points.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "oci/transform.h"

namespace kata::storage {

namespace {

// Components joined by single slashes, ".." taken back as far as the root.
std::string relative(const std::string& path) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < path.size();) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else if (!name.empty() && name != ".") {
      names.push_back(std::move(name));
    }
  }
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : "/") + name;
  return out;
}

bool is_file_source(const grpc::Mount& mount, const std::string& bundle) {
  if (!oci::is_bind(mount)) return false;
  const std::string& source = mount.source();
  struct stat info {};
  const std::string path = source.starts_with('/') ? source : bundle + "/" + source;
  return stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

Status make_point(int root, const std::string& path, bool file) {
  if (path.empty()) return {};
  if (beneath::open_in_root(root, path, O_PATH)) return {};
  if (!file) {
    TRY([[maybe_unused]] UniqueFd made, beneath::make_dirs(root, path, 0755, true));
    return {};
  }
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos) {
    TRY([[maybe_unused]] UniqueFd parent,
        beneath::make_dirs(root, path.substr(0, slash), 0755, true));
  }
  TRY([[maybe_unused]] UniqueFd made,
      beneath::open_in_root(root, path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  return {};
}

}  // namespace

void make_mount_points(int root, const grpc::Spec& spec, const std::string& bundle) {
  std::vector<std::string> covered;
  const auto add = [&](const std::string& destination, bool file) {
    const std::string path = relative(destination);
    for (const auto& above : covered) {
      // The guest makes it in the file system that it mounts there.
      if (path.starts_with(above + "/")) return;
    }
    if (auto made = make_point(root, path, file); !made) {
      log::warn("a mount point is missing in a read-only root",
                {{"path", "/" + path}, {"error", made.error().message()}});
    }
  };
  for (const auto& mount : spec.mounts()) {
    add(mount.destination(), is_file_source(mount, bundle));
    covered.push_back(relative(mount.destination()));
  }
  add(spec.process().cwd(), false);
}

}  // namespace kata::storage
