#include "agent/device/rewrite.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
// These macros would rename the fields of the wire messages.
#undef major
#undef minor

#include <map>
#include <set>
#include <tuple>

#include "agent/device/block.h"
#include "agent/device/vfio.h"

namespace kata::agent {
namespace {

using Numbers = std::tuple<std::string, int64_t, int64_t>;  // type, major, minor

Result<DeviceUpdate> update_from_node(const std::string& container_path, const std::string& node) {
  struct stat info {};
  if (stat(node.c_str(), &info) < 0) return fail_errno("stat " + node);
  if (!S_ISBLK(info.st_mode) && !S_ISCHR(info.st_mode)) {
    return fail(Code::kInvalidArgument, node + " is not a device");
  }
  return DeviceUpdate{container_path, S_ISBLK(info.st_mode) ? "b" : "c",
                      gnu_dev_major(info.st_rdev), gnu_dev_minor(info.st_rdev)};
}

Task<Result<std::string>> await_block(UeventMonitor& uevents, Clock::duration limit,
                                      const grpc::Device& device) {
  const std::string& type = device.type();
  if (type == "scsi") co_return co_await await_scsi_block(uevents, device.id(), limit);
  if (type == "blk") co_return co_await await_pci_block(uevents, device.id(), limit);
  co_return co_await await_named_block(uevents, device.vm_path(), limit);
}

bool is_block(const std::string& type) {
  return type == "blk" || type == "scsi" || type == "mmioblk" || type == "nvdimm";
}

Status check_device(const grpc::Device& device) {
  if (device.type().empty()) return fail(Code::kInvalidArgument, "device without type");
  if (device.id().empty() && device.vm_path().empty()) {
    return fail(Code::kInvalidArgument, "device without id and guest path");
  }
  if (device.container_path().empty()) {
    return fail(Code::kInvalidArgument, "device without container path");
  }
  return {};
}

}  // namespace

Task<Status> prepare_devices(UeventMonitor& uevents, Clock::duration limit,
                             google::protobuf::RepeatedPtrField<grpc::Device> devices,
                             grpc::Spec* spec) {
  std::vector<DeviceUpdate> updates;
  for (const auto& device : devices) {
    CO_TRY_STATUS(check_device(device));
    std::string node;
    if (is_block(device.type())) {
      CO_TRY(node, co_await await_block(uevents, limit, device));
    } else if (device.type() == "vfio-pci" || device.type() == "vfio-pci-gk") {
      CO_TRY(node, co_await prepare_vfio(uevents, limit, device));
      if (node.empty()) continue;  // the guest's own driver keeps it
    } else {
      co_return fail(Code::kInvalidArgument, "unknown device type \"" + device.type() + "\"");
    }
    CO_TRY(auto update, update_from_node(device.container_path(), node));
    updates.push_back(std::move(update));
  }
  co_return rewrite_devices(updates, spec);
}

Status rewrite_devices(const std::vector<DeviceUpdate>& updates, grpc::Spec* spec) {
  std::map<Numbers, const DeviceUpdate*> by_host_numbers;
  for (const auto& update : updates) {
    grpc::LinuxDevice* target = nullptr;
    for (auto& device : *spec->mutable_linux()->mutable_devices()) {
      if (device.path() == update.container_path) target = &device;
    }
    if (!target) {
      return fail(Code::kInvalidArgument, "the spec has no device " + update.container_path);
    }
    Numbers host{target->type(), target->major(), target->minor()};
    const auto [known, first] = by_host_numbers.emplace(host, &update);
    const DeviceUpdate& other = *known->second;
    // The same disk under two names is fine.
    if (!first && (other.major != update.major || other.minor != update.minor)) {
      return fail(Code::kInvalidArgument,
                  "two devices share the host numbers of " + update.container_path);
    }
    target->set_type(update.type);
    target->set_major(update.major);
    target->set_minor(update.minor);
  }
  std::set<Numbers> ruled;
  auto* rules = spec->mutable_linux()->mutable_resources()->mutable_devices();
  for (auto& rule : *rules) {
    auto found = by_host_numbers.find({rule.type(), rule.major(), rule.minor()});
    if (found == by_host_numbers.end() || !rule.has_major() || !rule.has_minor()) continue;
    rule.set_major(found->second->major);
    rule.set_minor(found->second->minor);
    ruled.insert({rule.type(), rule.major(), rule.minor()});
  }
  for (const auto& update : updates) {
    if (!ruled.insert({update.type, update.major, update.minor}).second) continue;
    auto* rule = rules->Add();
    rule->set_allow(true);
    rule->set_type(update.type);
    rule->set_major(update.major);
    rule->set_minor(update.minor);
    rule->set_access("rwm");
  }
  return {};
}

}  // namespace kata::agent
