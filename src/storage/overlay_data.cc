#include "storage/overlay_data.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace kata::storage {

namespace {

std::string join(const std::vector<std::string>& options) {
  std::string text;
  for (const auto& option : options) {
    if (!text.empty()) text += ',';
    text += option;
  }
  return text;
}

// Overlay escapes a colon of a name with a backslash.
std::vector<std::string> split_layers(std::string_view list) {
  std::vector<std::string> layers(1);
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '\\' && i + 1 < list.size()) {
      layers.back() += list[i++];
      layers.back() += list[i];
    } else if (list[i] == ':') {
      layers.emplace_back();
    } else {
      layers.back() += list[i];
    }
  }
  return layers;
}

// Longest folder that all layers lie below, with a final slash; "/" at least, empty when one of
// them is not absolute.
std::string common_folder(const std::vector<std::string>& layers) {
  std::string folder = layers.front().substr(0, layers.front().rfind('/') + 1);
  for (const auto& layer : layers) {
    if (!layer.starts_with('/')) return {};
    while (!layer.starts_with(folder)) {
      folder.resize(folder.rfind('/', folder.size() - 2) + 1);
    }
  }
  return folder;
}

// Folder in which the layers were made relative; empty when that was not possible.
std::string shorten_layers(std::vector<std::string>* options) {
  auto lower = std::ranges::find_if(*options, [](auto& o) { return o.starts_with(kLowerOption); });
  if (lower == options->end()) return {};
  auto layers = split_layers(std::string_view(*lower).substr(kLowerOption.size()));
  const std::string folder = common_folder(layers);
  // An escaped folder name would have to be unescaped for chdir.
  if (folder.size() <= 1 || folder.find('\\') != folder.npos) return {};
  *lower = kLowerOption;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (i > 0) *lower += ':';
    *lower += layers[i].size() > folder.size() ? layers[i].substr(folder.size()) : ".";
  }
  return folder;
}

}  // namespace

std::vector<std::string> lower_folders(std::string_view option) {
  auto folders = split_layers(option.substr(kLowerOption.size()));
  for (std::string& folder : folders) {
    for (size_t at = 0; at < folder.size(); ++at) {
      if (folder[at] == '\\') folder.erase(at, 1);
    }
  }
  return folders;
}

Result<MountData> join_mount_data(const std::string& type, std::vector<std::string> options) {
  const size_t limit = static_cast<size_t>(sysconf(_SC_PAGESIZE)) - 1;
  MountData data{join(options), {}};
  if (data.text.size() > limit && type == "overlay") {
    data.folder = shorten_layers(&options);
    data.text = join(options);
  }
  if (data.text.size() > limit) {
    return fail(Code::kResourceExhausted, "options of the " + type + " mount take " +
                                              std::to_string(data.text.size()) +
                                              " bytes, the kernel takes " + std::to_string(limit));
  }
  return data;
}

Status mount_in_folder(const std::string& source, const std::string& target,
                       const std::string& type, unsigned long flags, const MountData& data) {
  int failed = 0;
  const auto act = [&] {
    if (!data.folder.empty() && (unshare(CLONE_FS) < 0 || chdir(data.folder.c_str()) < 0)) {
      failed = errno;
    } else if (mount(source.c_str(), target.c_str(), type.c_str(), flags, data.text.c_str()) < 0) {
      failed = errno;
    }
  };
  if (data.folder.empty()) {
    act();
  } else {
    // The working folder belongs to the process unless a thread gives up sharing it.
    std::thread(act).join();
  }
  if (failed != 0) return fail_errno("mount " + type, failed);
  return {};
}

}  // namespace kata::storage
