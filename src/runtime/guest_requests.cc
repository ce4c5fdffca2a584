#include "runtime/guest_requests.h"

#include <sys/statvfs.h>

#include <charconv>

#include "base/file.h"
#include "base/log.h"
#include "oci/transform.h"

namespace kata::runtime {

namespace {

constexpr uint64_t kDefaultShm = 64 << 20;
constexpr size_t kMaxHostname = 64;
constexpr size_t kMaxResolvConf = 64 << 10;

grpc::Storage shared_storage(const config::HypervisorConfig& hypervisor) {
  std::string guest_dir(storage::kGuestShared);
  guest_dir.push_back('/');
  grpc::Storage storage;
  storage.set_source(std::string(kSharedTag));
  storage.set_mount_point(guest_dir);
  if (hypervisor.shared_fs == config::SharedFs::kVirtio9p) {
    storage.set_driver("9p");
    storage.set_fstype("9p");
    storage.add_options("trans=virtio,version=9p2000.L,cache=mmap");
    storage.add_options("nodev");
    storage.add_options("msize=" + std::to_string(hypervisor.msize_9p));
  } else {
    storage.set_driver("virtio-fs");
    storage.set_fstype("virtiofs");
  }
  return storage;
}

grpc::Storage shm_storage(uint64_t size) {
  grpc::Storage storage;
  storage.set_driver("ephemeral");
  storage.set_source("shm");
  storage.set_fstype("tmpfs");
  storage.set_mount_point(kGuestShmDir);
  for (const char* option : {"noexec", "nosuid", "nodev", "mode=1777"}) {
    storage.add_options(option);
  }
  storage.add_options("size=" + std::to_string(size));
  return storage;
}

// "64m", "65536k", "1g" or plain bytes.
uint64_t parse_size(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  switch (end == text.data() + text.size() ? '\0' : *end | 0x20) {
    case 'k':
      return value << 10;
    case 'm':
      return value << 20;
    case 'g':
      return value << 30;
    default:
      return value;
  }
}

}  // namespace

uint64_t shm_size(const grpc::Spec& spec) {
  for (const auto& mount : spec.mounts()) {
    if (mount.destination() != "/dev/shm") continue;
    if (oci::is_bind(mount)) {
      // A pod's shm: a tmpfs of the container manager on the host.
      struct statvfs info {};
      if (statvfs(mount.source().c_str(), &info) == 0 && info.f_blocks > 0) {
        return info.f_blocks * info.f_frsize;
      }
      continue;
    }
    for (const auto& option : mount.options()) {
      if (!option.starts_with("size=")) continue;
      if (uint64_t size = parse_size(std::string_view(option).substr(5)); size > 0) return size;
    }
  }
  return kDefaultShm;
}

std::vector<std::string> dns_lines(const grpc::Spec& spec) {
  std::vector<std::string> lines;
  for (const auto& mount : spec.mounts()) {
    if (mount.destination() != "/etc/resolv.conf" || !oci::is_bind(mount)) continue;
    auto content = read_file(mount.source(), kMaxResolvConf);
    if (!content) {
      log::failure("cannot read the pod's resolv.conf", content.error());
      continue;
    }
    for (size_t begin = 0; begin < content->size();) {
      size_t end = std::min(content->find('\n', begin), content->size());
      if (end > begin) lines.push_back(content->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return lines;
}

grpc::CreateSandboxRequest make_create_sandbox(const std::string& sandbox_id,
                                               const grpc::Spec& spec,
                                               const config::Config& config) {
  grpc::CreateSandboxRequest request;
  request.set_sandbox_id(sandbox_id);
  request.set_hostname(spec.hostname().substr(0, kMaxHostname));
  for (auto& line : dns_lines(spec)) request.add_dns(std::move(line));
  if (config.hypervisor.shared_fs != config::SharedFs::kNone) {
    *request.add_storages() = shared_storage(config.hypervisor);
  }
  *request.add_storages() = shm_storage(shm_size(spec));
  request.set_guest_hook_path(config.hypervisor.guest_hook_path);
  for (const auto& entry : config.agent.kernel_modules) {
    // "name key=value key=value"
    auto* module = request.add_kernel_modules();
    size_t space = entry.find(' ');
    module->set_name(entry.substr(0, space));
    while (space != std::string::npos) {
      size_t begin = space + 1;
      space = entry.find(' ', begin);
      std::string word = entry.substr(begin, space - begin);
      if (!word.empty()) module->add_parameters(word);
    }
  }
  return request;
}

}  // namespace kata::runtime
