#include "hypervisor/kernel_params.h"

#include <algorithm>
#include <array>

namespace kata::hypervisor {

namespace {

std::string_view key_of(std::string_view word) {
  return word.substr(0, word.find('='));
}

bool may_repeat(std::string_view key) {
  static constexpr std::array<std::string_view, 5> kKeys = {"console", "earlycon", "dm-mod.create",
                                                            "systemd.mask", "systemd.wants"};
  return std::ranges::find(kKeys, key) != kKeys.end();
}

std::string root_flags(const GuestImage& image, bool pmem) {
  std::string flags = pmem ? "dax" : "";
  auto join = [&flags](std::string_view word) {
    if (!flags.empty()) flags.push_back(',');
    flags += word;
  };
  if (image.fs_type == "ext4") {
    join("data=ordered");
    join("errors=remount-ro");
  } else if (!pmem) {
    join("ro");
  }
  return flags;
}

// The table of a dm-verity device over partition 1 with its hash tree in partition 2.
std::string verity_table(std::string_view verity, std::string_view disk) {
  std::string block = verity_value(verity, "data_block_size");
  std::string hash_block = verity_value(verity, "hash_block_size");
  std::string blocks = verity_value(verity, "data_blocks");
  if (block.empty()) block = "4096";
  if (hash_block.empty()) hash_block = block;
  uint64_t count = std::strtoull(blocks.c_str(), nullptr, 10);
  uint64_t sectors = count * (std::strtoull(block.c_str(), nullptr, 10) / 512);
  std::string data = std::string(disk) + "1";
  std::string hash = std::string(disk) + "2";
  return "dm-mod.create=\"dm-verity,,,ro,0 " + std::to_string(sectors) + " verity 1 " + data + " " +
         hash + " " + block + " " + hash_block + " " + blocks + " 0 sha256 " +
         verity_value(verity, "root_hash") + " " + verity_value(verity, "salt") + "\"";
}

}  // namespace

void KernelParams::set(std::string_view key, std::string_view value) {
  add_override(std::string(key) + "=" + std::string(value));
}

void KernelParams::add_override(std::string_view word) {
  std::string_view key = key_of(word);
  if (!may_repeat(key)) {
    std::erase_if(words_, [key](const std::string& old) { return key_of(old) == key; });
  } else if (std::ranges::find(words_, word) != words_.end()) {
    return;
  }
  words_.emplace_back(word);
}

std::string KernelParams::text() const {
  std::string out;
  for (const auto& word : words_) {
    if (!out.empty()) out.push_back(' ');
    out += word;
  }
  return out;
}

std::string verity_value(std::string_view verity, std::string_view key) {
  while (!verity.empty()) {
    size_t end = verity.find(',');
    std::string_view part = verity.substr(0, end);
    verity.remove_prefix(end == std::string_view::npos ? verity.size() : end + 1);
    if (key_of(part) == key && part.size() > key.size()) {
      return std::string(part.substr(key.size() + 1));
    }
  }
  return {};
}

void add_root_params(const GuestImage& image, bool pmem, KernelParams* params) {
  std::string disk = pmem ? "/dev/pmem0p" : "/dev/vda";
  std::string root = disk + "1";
  if (!image.verity.empty()) {
    params->add({verity_table(image.verity, disk)});
    root = "/dev/dm-0";
  }
  params->add({"root=" + root, "rootflags=" + root_flags(image, pmem), "ro",
               "rootfstype=" + image.fs_type});
}

void add_verbosity_params(const VmConfig& config, KernelParams* params) {
  bool systemd = !config.image.path.empty();
  if (config.debug) {
    params->add({"debug"});
    if (systemd) params->add({"systemd.show_status=true", "systemd.log_level=debug"});
  } else {
    params->add({"quiet"});
    if (systemd) params->add({"systemd.show_status=false"});
  }
}

void add_service_params(const VmConfig& config, KernelParams* params) {
  params->add({"selinux=0"});
  if (!config.image.path.empty()) {
    params->add({"systemd.unit=kata-containers.target", "systemd.mask=systemd-networkd.service",
                 "systemd.mask=systemd-networkd.socket"});
  }
  // A controller scan at boot finds disks before anyone asked for them.
  if (config.disk_driver == DiskDriver::kVirtioScsi) params->add({"scsi_mod.scan=none"});
}

}  // namespace kata::hypervisor
