#include "agent/cgroup/device_rules.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdlib>
#include <set>

#include "agent/container/words.h"
#include "base/file.h"

// Macros that would rewrite the message's fields of the same names.
#undef major
#undef minor

namespace kata::agent {
namespace {

DeviceRule allow(char type, std::optional<uint32_t> major, std::optional<uint32_t> minor) {
  return {true, type, major, minor, true, true, true};
}

// facts/agent-behaviour.md section 6; the same set that runc gives.
std::vector<DeviceRule> default_rules() {
  DeviceRule make_char{true, 'c', std::nullopt, std::nullopt, false, false, true};
  DeviceRule make_block = make_char;
  make_block.type = 'b';
  return {make_char,
          make_block,
          allow('c', 1, 3),               // null
          allow('c', 1, 8),               // random
          allow('c', 1, 7),               // full
          allow('c', 5, 0),               // tty
          allow('c', 1, 5),               // zero
          allow('c', 1, 9),               // urandom
          allow('c', 5, 1),               // console
          allow('c', 136, std::nullopt),  // pty slaves
          allow('c', 5, 2),               // ptmx
          allow('c', 10, 200)};           // tun
}

// Negative numbers are wildcards too.
std::optional<uint32_t> number_of(bool present, int64_t value) {
  return present && value >= 0 ? std::optional(static_cast<uint32_t>(value)) : std::nullopt;
}

Result<DeviceRule> rule_of(const grpc::LinuxDeviceCgroup& spec) {
  DeviceRule rule;
  rule.allow = spec.allow();
  if (!spec.type().empty()) rule.type = spec.type()[0];
  if (spec.type().size() > 1 || (rule.type != 'a' && rule.type != 'b' && rule.type != 'c')) {
    return fail(Code::kInvalidArgument, "unknown device rule type \"" + spec.type() + "\"");
  }
  rule.major = number_of(spec.has_major(), spec.major());
  rule.minor = number_of(spec.has_minor(), spec.minor());
  if (spec.access().empty()) return rule;
  rule.read = rule.write = rule.mknod = false;
  for (char c : spec.access()) {
    if (c != 'r' && c != 'w' && c != 'm') {
      return fail(Code::kInvalidArgument, "unknown device access \"" + spec.access() + "\"");
    }
    (c == 'r' ? rule.read : c == 'w' ? rule.write : rule.mknod) = true;
  }
  return rule;
}

bool parse_device_number(const std::string& text, dev_t* out) {
  unsigned major_number = 0, minor_number = 0;
  if (sscanf(text.c_str(), "%u:%u", &major_number, &minor_number) != 2) return false;
  *out = makedev(major_number, minor_number);
  return true;
}

// A folder below /sys/block that belongs to a disk or one of its partitions.
void add_device_folder(const std::string& folder, std::set<dev_t>* found) {
  auto text = read_file(folder + "/dev");
  dev_t number = 0;
  if (text && parse_device_number(*text, &number)) found->insert(number);
}

void collect_disk(const std::string& folder, int depth, std::set<dev_t>* found) {
  char* real = realpath(folder.c_str(), nullptr);
  if (!real || depth > 8) {
    free(real);
    return;
  }
  std::string disk = real;
  free(real);
  if (path_exists(disk + "/partition")) disk = dirname(disk);
  add_device_folder(disk, found);
  auto names = list_dir(disk);
  if (!names) return;
  for (const std::string& name : *names) {
    if (path_exists(disk + '/' + name + "/partition")) add_device_folder(disk + '/' + name, found);
  }
  auto slaves = list_dir(disk + "/slaves");
  if (!slaves) return;
  for (const std::string& name : *slaves) collect_disk(disk + "/slaves/" + name, depth + 1, found);
}

}  // namespace

std::string DeviceRule::text() const {
  auto part = [](std::optional<uint32_t> number) {
    return number ? std::to_string(*number) : std::string("*");
  };
  std::string out = std::string(1, type) + ' ' + part(major) + ':' + part(minor) + ' ';
  if (read) out += 'r';
  if (write) out += 'w';
  if (mknod) out += 'm';
  return out;
}

Result<std::vector<DeviceRule>> device_rules(const grpc::LinuxResources& resources,
                                             const std::vector<DeviceRule>& guest_disks) {
  std::vector<DeviceRule> rules = {DeviceRule{}};
  // The spec's blanket denial, which most specs begin with, must not take the defaults away.
  bool defaults_done = false;
  auto add_defaults = [&] {
    if (defaults_done) return;
    defaults_done = true;
    for (DeviceRule& rule : default_rules()) rules.push_back(rule);
  };
  for (const grpc::LinuxDeviceCgroup& spec : resources.devices()) {
    TRY(DeviceRule rule, rule_of(spec));
    bool blanket = !rule.allow && !rule.major && !rule.minor && rule.type == 'a' && rule.read &&
                   rule.write && rule.mknod;
    if (blanket && !defaults_done) continue;
    add_defaults();
    rules.push_back(rule);
  }
  add_defaults();
  rules.insert(rules.end(), guest_disks.begin(), guest_disks.end());
  return rules;
}

std::vector<DeviceRule> guest_disk_rules(dev_t root, const std::string& sys) {
  // Major 0: an anonymous device, no disk behind it.
  if (gnu_dev_major(root) == 0) return {};
  std::set<dev_t> found = {root};
  collect_disk(sys + "/dev/block/" + std::to_string(gnu_dev_major(root)) + ':' +
                   std::to_string(gnu_dev_minor(root)),
               0, &found);
  std::vector<DeviceRule> rules;
  for (dev_t number : found) {
    rules.push_back({false, 'b', gnu_dev_major(number), gnu_dev_minor(number), true, true, true});
  }
  return rules;
}

dev_t root_device() {
  struct stat info {};
  return stat("/", &info) == 0 ? info.st_dev : 0;
}

}  // namespace kata::agent
