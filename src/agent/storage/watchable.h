#pragma once

#include <memory>
#include <string>

#include "agent/agent.pb.h"
#include "agent/process/async_mutex.h"
#include "agent/storage/tree_copy.h"

namespace kata::agent {

// A volume whose changes inotify in the guest has to tell: a copy in memory of a shared folder,
// which the host's changes reach without the guest's kernel knowing. Owned by its storage; all
// copies lie on one tmpfs, whose size bounds them. Event-loop thread only.
class WatchedVolume : public std::enable_shared_from_this<WatchedVolume> {
 public:
  // Makes the first copy. A volume that there is no room for, or that does not hold still, is
  // shared as it is, with a warning: all is right then but what inotify tells.
  static Task<Result<std::shared_ptr<WatchedVolume>>> make(grpc::Storage storage);

  // Brings the copy up to date; on failure containers keep the old content. Any number of callers.
  Task<Status> refresh(std::string generation);
  // Removes the copy. Idempotent.
  void remove();

 private:
  WatchedVolume(asio::any_io_executor executor, std::string path, UniqueFd parent, TreeCopy copy);
  Task<Status> copy_first();
  Status share(const grpc::Storage& storage);
  static Task<> poll(std::weak_ptr<WatchedVolume> weak, Event removed);

  std::string path_;
  UniqueFd parent_;
  TreeCopy copy_;
  bool shared_ = false;  // no copy but a bind mount
  AsyncMutex turn_;
  Event removed_;
};

}  // namespace kata::agent
