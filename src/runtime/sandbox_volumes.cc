// Files of containers that are more than shared: volumes whose memory is the guest's, and volumes
// whose changes the guest has to be told.
#include "base/log.h"
#include "oci/watched_volume.h"
#include "runtime/sandbox.h"
#include "storage/config_volume.h"
#include "storage/memory_volume.h"

namespace kata::runtime {

Task<Result<std::vector<grpc::Storage>>> Sandbox::share_files(std::string id, std::string rootfs,
                                                              const grpc::Spec& spec,
                                                              oci::GuestContext& context) {
  std::vector<grpc::Storage> volumes;
  std::vector<storage::ConfigVolume> watchable;
  auto shared = co_await offload(pool_, [&]() -> Status {
    TRY(volumes, storage::place_memory_volumes(spec, &context));
    TRY(context.rootfs, tree_->share_rootfs(id, rootfs, spec));
    TRY(auto mounts, tree_->share_mounts(id, spec, context));
    context.mounts.merge(mounts);
    watchable = storage::place_config_volumes(spec, tree_->exported(), &context);
    return {};
  });
  CO_TRY_STATUS(std::move(shared));
  for (auto& volume : watchable) {
    watch_volume(id, volume);
    volumes.push_back(std::move(volume.storage));
  }
  co_return volumes;
}

// Before the guest makes its copy, so that no change is missed. Where the host cannot watch, the
// guest looks every two seconds.
void Sandbox::watch_volume(const std::string& id, storage::ConfigVolume& volume) {
  Status watched;
  if (!volume_watch_) {
    auto watch = storage::VolumeWatch::create(executor_);
    if (watch) {
      volume_watch_ = std::move(*watch);
      spawn(executor_, watch_volumes(shared_from_this()));
    } else {
      watched = std::unexpected(std::move(watch.error()));
    }
  }
  if (watched) watched = volume_watch_->add(id, volume);
  if (watched) {
    volume.storage.add_driver_options(std::string(oci::kHostWatches));
  } else {
    log::failure("the guest has to look for changes of a volume itself", watched.error(),
                 {{"container", id}, {"volume", volume.host_path}});
  }
}

Task<> Sandbox::watch_volumes(std::shared_ptr<Sandbox> self) {
  while (self->lives()) {
    auto changed = co_await self->volume_watch_->changed();
    if (!changed) co_return;
    for (auto& volume : *changed) {
      if (!self->lives()) co_return;
      const std::string point = volume.mount_point();
      std::vector<grpc::Storage> one;
      one.push_back(std::move(volume));
      auto told = co_await self->agent_->update_mounts(std::move(one));
      // Not there: the container has gone, or its copy is yet to be made. Aborted: the volume
      // changed again meanwhile, which is the next to be told.
      const Code code = told ? Code::kOk : told.error().code();
      if (told || code == Code::kNotFound || code == Code::kAborted || !self->lives()) continue;
      log::failure("a volume keeps its old content in the guest", told.error(),
                   {{"volume", point}});
    }
  }
}

void Sandbox::keep_elastic(const std::vector<grpc::Storage>& volumes) {
  for (const auto& volume : volumes) {
    if (storage::follows_memory(volume)) elastic_volumes_.insert(volume.mount_point());
  }
}

Task<> Sandbox::resize_volumes() {
  std::vector<grpc::Storage> volumes;
  for (const auto& point : elastic_volumes_) volumes.push_back(storage::resized_to_memory(point));
  if (volumes.empty()) co_return;
  auto resized = co_await agent_->update_mounts(std::move(volumes));
  // The containers have what they had before.
  if (!resized) log::failure("volumes in memory keep their size", resized.error());
}

}  // namespace kata::runtime
