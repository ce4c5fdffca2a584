#include "agent/storage/storage_set.h"

#include <ranges>

#include "agent/storage/fs_group.h"
#include "agent/storage/grow.h"
#include "agent/storage/mounting.h"
#include "agent/storage/watchable.h"
#include "base/log.h"
#include "oci/watched_volume.h"

namespace kata::agent {
namespace {

void unmake(const std::string& path, StorageMade& made) {
  if (made.watched) made.watched->remove();
  if (!made.undo) return;
  // Detached it may still be mounted for a process that is about to end.
  if (made.on_disk) {
    if (auto written = flush_volume(path); !written) log::failure("storage", written.error());
  }
  if (auto gone = unmount_storage(path); !gone) log::failure("storage left mounted", gone.error());
}

}  // namespace

Task<Status> StorageSet::add(const grpc::Storage& storage, const std::string& container_id) {
  if (storage.mount_point().empty() || storage.mount_point()[0] != '/') {
    co_return fail(Code::kInvalidArgument,
                   "mount point \"" + storage.mount_point() + "\" is not absolute");
  }
  auto& slot = entries_[storage.mount_point()];
  if (!slot) slot = std::make_shared<Entry>();
  auto entry = slot;
  // Before the wait: the present users must not take away what is about to be shared.
  ++entry->claims;
  auto turn = co_await entry->order.lock();
  Status ready;
  // When the one before failed it is ours to make.
  if (!entry->ready) ready = co_await make(*entry, storage, container_id);
  if (ready) {
    entry->shared |= storage.shared();
  } else {
    drop_claim(storage.mount_point(), *entry);
  }
  co_return ready;
}

Task<Status> StorageSet::make(Entry& entry, const grpc::Storage& storage,
                              const std::string& container_id) {
  StorageDriver driver = find_storage_driver(storage.driver());
  if (!driver) {
    co_return fail(Code::kInvalidArgument, "unknown storage driver \"" + storage.driver() + "\"");
  }
  StorageContext context{config_, uevents_, container_id};
  CO_TRY(StorageMade made, co_await driver(context, storage));
  if (storage.has_fs_group()) {
    Status owned = co_await apply_fs_group(storage.mount_point(), storage.fs_group());
    if (!owned) {
      unmake(storage.mount_point(), made);
      co_return owned;
    }
  }
  entry.made = std::move(made);
  entry.ready = true;
  co_return Status{};
}

bool StorageSet::drop_claim(const std::string& path, Entry& entry) {
  if (--entry.claims > 0 || entry.shared) return false;
  const bool was_ready = entry.ready;
  entries_.erase(path);  // the caller holds a reference
  return was_ready;
}

Task<Result<std::vector<std::string>>> StorageSet::add_all(
    google::protobuf::RepeatedPtrField<grpc::Storage> storages, std::string container_id) {
  std::vector<std::string> added;
  for (const auto& storage : storages) {
    auto done = co_await add(storage, container_id);
    if (!done) {
      co_await release_all(std::move(added));
      co_return std::unexpected(std::move(done.error())
                                    .context("storage " + storage.driver() + " " +
                                             storage.source() + " on " + storage.mount_point()));
    }
    added.push_back(storage.mount_point());
  }
  co_return added;
}

Task<> StorageSet::release_all(std::vector<std::string> mount_points) {
  // Last mounted, first unmounted: one may lie inside another.
  for (const auto& path : std::views::reverse(mount_points)) {
    auto found = entries_.find(path);
    if (found == entries_.end()) continue;
    auto entry = found->second;
    auto turn = co_await entry->order.lock();
    if (drop_claim(path, *entry)) unmake(path, entry->made);
  }
}

Task<Status> StorageSet::update(grpc::Storage storage) {
  if (storage.driver() == oci::kWatchableDriver) co_return co_await refresh(std::move(storage));
  if (storage.fstype() != "tmpfs") co_return Status{};
  MountPlan plan{storage.source(), storage.mount_point(), "tmpfs", {"remount"}};
  for (const auto& word : storage.options()) {
    if (!word.starts_with("fsgid=")) plan.options.push_back(word);
  }
  if (mounted_type(plan.target) != "tmpfs") {
    co_return fail(Code::kInvalidArgument, plan.target + " is not a tmpfs mount");
  }
  CO_TRY(bool mounted, mount_storage(plan));
  (void)mounted;
  co_return Status{};
}

Task<Status> StorageSet::refresh(grpc::Storage storage) {
  auto found = entries_.find(storage.mount_point());
  if (found == entries_.end()) co_return fail(Code::kNotFound, storage.mount_point());
  auto entry = found->second;
  // Whoever makes it is waited for: the host may be faster than the first copy.
  auto turn = co_await entry->order.lock();
  auto volume = entry->made.watched;
  if (!volume) co_return Status{};
  const std::vector<std::string> words(storage.driver_options().begin(),
                                       storage.driver_options().end());
  co_return co_await volume->refresh(option_value(words, oci::kGeneration));
}

}  // namespace kata::agent
