#include "agent/storage/watchable.h"

#include <fcntl.h>
#include <sys/sysinfo.h>

#include "agent/storage/drivers.h"
#include "agent/storage/mounting.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "oci/watched_volume.h"

namespace kata::agent {
namespace {

// For shims that do not tell; the period is upstream's.
constexpr auto kRound = 2s;
// Of the guest's memory at the boot, for the copies of all volumes.
constexpr uint64_t kShareOfMemory = 8;
// Whoever creates the container waits for the first copy, and does not wait for ever. Only the many
// files of a large volume on a starved machine take longer.
constexpr auto kFirstCopy = 15s;
// A volume may change while it is copied for the first time. The guest's cache of the shared folder
// is at most a second old.
constexpr int kTries = 5;
constexpr auto kBetweenTries = 300ms;

bool host_watches(const grpc::Storage& storage) {
  for (const auto& word : storage.driver_options()) {
    if (word == oci::kHostWatches) return true;
  }
  return false;
}

// inotify needs a file system of the guest below the copies; one tmpfs serves all.
Status mount_base(const std::string& path) {
  if (mounted_type(path) == "tmpfs") return {};
  struct sysinfo info {};
  sysinfo(&info);
  const uint64_t size = uint64_t{info.totalram} * info.mem_unit / kShareOfMemory;
  MountPlan base{"tmpfs", path, "tmpfs", {"nosuid", "nodev", "mode=0755"}};
  base.options.push_back("size=" + std::to_string(size));
  base.options.push_back("nr_inodes=" + std::to_string(std::max<uint64_t>(size / 4096, 1024)));
  TRY(bool mounted, mount_storage(base));
  (void)mounted;
  return {};
}

// Failures to copy after which the volume can still be shared.
bool is_no_obstacle(Code code) {
  return code == Code::kResourceExhausted || code == Code::kDeadlineExceeded ||
         code == Code::kAborted;
}

}  // namespace

WatchedVolume::WatchedVolume(asio::any_io_executor executor, std::string path, UniqueFd parent,
                             TreeCopy copy)
    : path_(std::move(path)),
      parent_(std::move(parent)),
      copy_(std::move(copy)),
      removed_(std::move(executor)) {}

Task<Result<std::shared_ptr<WatchedVolume>>> WatchedVolume::make(grpc::Storage storage) {
  const std::string& path = storage.mount_point();
  CO_TRY_STATUS(in_step("memory for copies", mount_base(dirname(path))));
  CO_TRY(UniqueFd parent, beneath::open_absolute(dirname(path), O_PATH | O_DIRECTORY));
  CO_TRY(UniqueFd made, make_mount_point(path, false));
  CO_TRY(UniqueFd target, beneath::open(made.get(), ".", O_RDONLY | O_DIRECTORY));
  auto executor = co_await asio::this_coro::executor;
  std::shared_ptr<WatchedVolume> volume(new WatchedVolume(
      executor, path, std::move(parent), TreeCopy(storage.source(), std::move(target))));
  Status ready = co_await volume->copy_first();
  if (!ready && is_no_obstacle(ready.error().code())) {
    log::warn(
        "volume cannot be copied into the guest: it is shared, and inotify in the "
        "guest does not tell of its changes",
        {{"source", storage.source()}, {"reason", ready.error().message()}});
    ready = volume->share(storage);
  }
  if (!ready) {
    volume->remove();
    co_return std::unexpected(std::move(ready.error()));
  }
  if (!volume->shared_ && !host_watches(storage)) spawn(executor, poll(volume, volume->removed_));
  co_return volume;
}

Task<Status> WatchedVolume::copy_first() {
  auto self = shared_from_this();
  const auto began = Clock::now();
  Status copied;
  for (int tried = 0; tried < kTries; ++tried) {
    if (tried > 0) co_await sleep_for(kBetweenTries);
    copied = co_await copy_.refresh("", kFirstCopy - (Clock::now() - began));
    if (copied || copied.error().code() != Code::kAborted) break;
  }
  co_return copied;
}

// In the place of the copy, of which nothing may be left.
Status WatchedVolume::share(const grpc::Storage& storage) {
  TRY_STATUS(remove_tree_at(parent_.get(), basename(path_)));
  MountPlan plan{storage.source(), path_, "bind", words_of(storage)};
  plan.options.push_back("bind");
  TRY(shared_, mount_storage(plan));
  return {};
}

Task<Status> WatchedVolume::refresh(std::string generation) {
  auto self = shared_from_this();
  const auto turn = co_await turn_.lock();
  if (shared_ || removed_.is_set()) co_return Status{};
  co_return co_await copy_.refresh(std::move(generation));
}

void WatchedVolume::remove() {
  if (removed_.is_set()) return;
  removed_.set();
  Status gone;
  if (shared_) gone = unmount_storage(path_);
  if (gone) gone = remove_tree_at(parent_.get(), basename(path_));
  if (!gone) log::failure("copy of a volume stays", gone.error());
}

Task<> WatchedVolume::poll(std::weak_ptr<WatchedVolume> weak, Event removed) {
  bool failing = false;
  while (true) {
    const bool gone = co_await removed.wait_for(kRound);
    auto volume = weak.lock();
    if (gone || !volume) co_return;
    auto refreshed = co_await volume->refresh("");
    if (!refreshed && !failing) log::failure("volume keeps its old content", refreshed.error());
    failing = !refreshed;
  }
}

Task<Result<StorageMade>> mount_watchable(const StorageContext&, const grpc::Storage& storage) {
  CO_TRY(auto volume, co_await WatchedVolume::make(storage));
  co_return StorageMade{.undo = false, .watched = std::move(volume)};
}

}  // namespace kata::agent
