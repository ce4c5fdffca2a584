#include "agent/device/pci_path.h"

#include <charconv>
#include <cstdio>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

bool parse_hex(std::string_view text, unsigned limit, unsigned* value) {
  if (text.empty() || text.size() > 2) return false;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), *value, 16);
  return problem == std::errc() && end == text.data() + text.size() && *value <= limit;
}

Result<PciSlot> parse_slot(std::string_view text) {
  size_t dot = text.find('.');
  unsigned slot = 0, function = 0;
  bool valid = parse_hex(text.substr(0, dot), 0x1f, &slot) &&
               (dot == std::string_view::npos || parse_hex(text.substr(dot + 1), 7, &function));
  if (!valid) return fail(Code::kInvalidArgument, "bad PCI slot \"" + std::string(text) + "\"");
  return PciSlot{static_cast<uint8_t>(slot), static_cast<uint8_t>(function)};
}

std::string two_digits(unsigned value) {
  char text[8];
  snprintf(text, sizeof text, "%02x", value);
  return text;
}

}  // namespace

Result<PciPath> PciPath::parse(const std::string& text) {
  PciPath path;
  auto parts = split(text, '/');
  unsigned root = 0;
  size_t first = 0;
  if (parts.size() >= 3 && parse_hex(parts[0], 0xff, &root) && root >= 0x20) {
    path.root_bus = static_cast<uint8_t>(root);
    first = 1;
  }
  for (size_t i = first; i < parts.size(); ++i) {
    TRY(PciSlot slot, in_step("PCI path \"" + text + "\"", parse_slot(parts[i])));
    path.slots.push_back(slot);
  }
  return path;
}

std::optional<std::string> pci_sysfs_folder(const std::string& sysfs, const PciPath& path) {
  std::string bus = "0000:" + two_digits(path.root_bus);
  std::string folder = sysfs + "/devices/pci" + bus;
  for (size_t i = 0; i < path.slots.size(); ++i) {
    folder += "/" + bus + ":" + two_digits(path.slots[i].slot) + "." +
              std::to_string(path.slots[i].function);
    if (!path_exists(folder)) return std::nullopt;
    if (i + 1 == path.slots.size()) break;
    // The bus behind a bridge has no fixed number: the kernel shows it.
    auto buses = list_dir(folder + "/pci_bus");
    if (!buses || buses->size() != 1) return std::nullopt;
    bus = buses->front();
  }
  return folder;
}

std::string pci_address(const std::string& folder) {
  return basename(folder);
}

}  // namespace kata::agent
