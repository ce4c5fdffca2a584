#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "storage/config_volume.h"

namespace kata::storage {

// Tells which volumes of configuration have changed, without polling: one inotify instance for a
// sandbox. One event loop, one waiter.
class VolumeWatch {
 public:
  // kResourceExhausted when the user has no more inotify instances (fs.inotify.max_user_instances).
  static Result<std::unique_ptr<VolumeWatch>> create(asio::any_io_executor executor);

  // Changes from now on count. `owner` is the container.
  Status add(const std::string& owner, const ConfigVolume& volume);
  void remove(const std::string& owner);

  // Suspends until volumes have changed and the change is over, as far as can be seen: their
  // storages, each saying where `..data` leads now. kCanceled after close().
  Task<Result<std::vector<grpc::Storage>>> changed();
  void close();

 private:
  struct Watched {
    std::string owner;
    ConfigVolume volume;
  };

  VolumeWatch(asio::any_io_executor executor, int notify) : notify_(executor, notify) {}
  // Numbers of the watches that have news; everything after an overflow.
  std::vector<int> drain();

  asio::posix::stream_descriptor notify_;
  std::multimap<int, Watched> watched_;  // by the number of the watch: one for a folder
};

}  // namespace kata::storage
