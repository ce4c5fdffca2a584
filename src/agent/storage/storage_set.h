#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.pb.h"
#include "agent/config/agent_config.h"
#include "agent/device/uevents.h"
#include "agent/process/async_mutex.h"

namespace kata::agent {

// What a storage driver may use.
struct StorageContext {
  const AgentConfig& config;
  UeventMonitor& uevents;
  std::string container_id;  // empty for storages of the sandbox
};

class WatchedVolume;

// What a driver made; `undo` false: nothing is to be unmounted. A watched volume ends with it.
struct StorageMade {
  bool undo = true;
  bool on_disk = false;  // of a disk that may be taken away once it is unmounted
  std::shared_ptr<WatchedVolume> watched = nullptr;
};
using StorageDriver = Task<Result<StorageMade>> (*)(const StorageContext&, const grpc::Storage&);

// nullptr when there is no driver of this name.
StorageDriver find_storage_driver(const std::string& name);
std::vector<std::string> storage_driver_names();

// Mounts that containers asked for, counted by mount point (facts/agent-behaviour.md section 7).
// Two containers that ask for the same one at once share a single mount. Event-loop thread only;
// a slow device holds up only those who want that mount point.
class StorageSet {
 public:
  explicit StorageSet(const AgentConfig& config, UeventMonitor& uevents)
      : config_(config), uevents_(uevents) {}

  Task<Status> add(const grpc::Storage& storage, const std::string& container_id);
  // In order; on failure those that this call added are released again. `added` lists the mount
  // points to give back later.
  Task<Result<std::vector<std::string>>> add_all(
      google::protobuf::RepeatedPtrField<grpc::Storage> storages, std::string container_id);
  // Logs what cannot be unmounted.
  Task<> release_all(std::vector<std::string> mount_points);
  // Gives tmpfs mounts new options; brings a watched volume up to date. kNotFound for a watched one
  // that nobody uses.
  Task<Status> update(grpc::Storage storage);

 private:
  // One mount point; in the map as long as somebody uses it or waits to.
  struct Entry {
    AsyncMutex order;  // making and unmaking
    int claims = 0;    // users, and those who wait for their turn
    bool ready = false;
    bool shared = false;  // stays when nobody uses it
    StorageMade made;
  };
  Task<Status> refresh(grpc::Storage storage);
  Task<Status> make(Entry& entry, const grpc::Storage& storage, const std::string& container_id);
  // Gives a claim back, with the entry's turn held; true when it was the last on something mounted.
  bool drop_claim(const std::string& path, Entry& entry);

  const AgentConfig& config_;
  UeventMonitor& uevents_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace kata::agent
