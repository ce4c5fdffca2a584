#include "agent/storage/drivers.h"
#include "agent/storage/mounting.h"
#include "agent/storage/tree_copy.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

constexpr auto kRound = 2s;

// Follows the original until the container lets go of the volume. One that grows too large is bound
// instead: its content stays right, only inotify is lost.
Task<> follow(TreeCopy copy, grpc::Storage storage, Event stop) {
  while (true) {
    bool stopped = co_await stop.wait_for(kRound);
    if (stopped) co_return;
    auto refreshed = copy.refresh();
    if (refreshed) continue;
    log::failure("watched volume", refreshed.error(), {{"mount_point", storage.mount_point()}});
    if (refreshed.error().code() != Code::kResourceExhausted) continue;
    MountPlan plan{storage.source(), storage.mount_point(), "bind", {"bind"}};
    if (auto bound = mount_storage(plan); !bound) log::failure("bind volume", bound.error());
    co_return;
  }
}

}  // namespace

Task<Result<StorageMade>> mount_watchable(const StorageContext& context,
                                          const grpc::Storage& storage) {
  // inotify needs a file system of the guest below the copies; one tmpfs serves all.
  MountPlan base{
      "tmpfs", dirname(storage.mount_point()), "tmpfs", {"nosuid", "nodev", "mode=0755"}};
  if (mounted_type(base.target).empty()) {
    CO_TRY(bool mounted, mount_storage(base));
    (void)mounted;
  }
  CO_TRY_STATUS(make_dirs(storage.mount_point()));
  TreeCopy copy(storage.source(), storage.mount_point());
  auto first = copy.refresh();
  if (!first && first.error().code() == Code::kResourceExhausted) {
    co_return co_await mount_bind(context, storage);
  }
  CO_TRY_STATUS(std::move(first));
  auto executor = co_await asio::this_coro::executor;
  StorageMade made{.undo = false, .stop = Event(executor)};
  spawn(executor, follow(std::move(copy), storage, *made.stop));
  co_return made;
}

}  // namespace kata::agent
