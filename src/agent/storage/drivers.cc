#include "agent/storage/drivers.h"

#include <string_view>

#include "agent/storage/mounting.h"

namespace kata::agent {
namespace {

struct NamedDriver {
  std::string_view name;
  StorageDriver driver;
};

constexpr NamedDriver kDrivers[] = {
    {"9p", mount_share},
    {"bind", mount_bind},
    {"blk", mount_block},
    {"ephemeral", mount_ephemeral},
    {"local", make_local},
    {"mmioblk", mount_block},
    {"nvdimm", mount_block},
    {"overlayfs", mount_overlay},
    {"scsi", mount_block},
    {"virtio-fs", mount_share},
    {"watchable-bind", mount_watchable},
};

}  // namespace

StorageDriver find_storage_driver(const std::string& name) {
  for (const auto& entry : kDrivers) {
    if (entry.name == name) return entry.driver;
  }
  return nullptr;
}

std::vector<std::string> storage_driver_names() {
  std::vector<std::string> names;
  for (const auto& entry : kDrivers) names.emplace_back(entry.name);
  return names;
}

std::vector<std::string> words_of(const grpc::Storage& storage) {
  return {storage.options().begin(), storage.options().end()};
}

Task<Result<StorageMade>> mount_share(const StorageContext&, const grpc::Storage& storage) {
  MountPlan plan{storage.source(), storage.mount_point(), storage.fstype(), words_of(storage)};
  if (plan.type.empty()) plan.type = storage.driver() == "9p" ? "9p" : "virtiofs";
  CO_TRY(bool mounted, mount_storage(plan));
  co_return StorageMade{.undo = mounted};
}

Task<Result<StorageMade>> mount_bind(const StorageContext&, const grpc::Storage& storage) {
  MountPlan plan{storage.source(), storage.mount_point(), "bind", words_of(storage)};
  plan.options.push_back("bind");
  CO_TRY(bool mounted, mount_storage(plan));
  co_return StorageMade{.undo = mounted};
}

}  // namespace kata::agent
