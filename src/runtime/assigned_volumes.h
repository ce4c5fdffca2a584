#pragma once

#include <map>
#include <set>
#include <string>

#include "base/event.h"
#include "journal/journal.h"
#include "storage/direct_volume.h"
#include "storage/host_disk.h"

namespace kata::runtime {

// Direct-assigned volumes that containers of a sandbox use. Holds the lock of each, so that no
// other VM mounts it meanwhile, and leaves the sandbox's mark in its folder, by which tools find
// the shim; the mark is in the journal first. One event loop; blocking work goes to `pool`;
// `journal` and `pool` outlive it.
class AssignedVolumes {
 public:
  struct Volume {
    std::string path;  // on the host, as mounts name it
    storage::DirectVolume note;
    storage::HostDisk disk;
    std::string guest_path;  // where the guest mounts it
    UniqueFd lock;
    std::set<std::string> owners;

    bool read_only() const { return note.read_only() || disk.read_only; }
  };

  AssignedVolumes(asio::any_io_executor executor, asio::thread_pool& pool, std::string sandbox_id,
                  Journal& journal)
      : turn_(std::move(executor)),
        pool_(pool),
        sandbox_id_(std::move(sandbox_id)),
        journal_(journal) {}

  // The volume behind the source of a mount, in use by `owner` from now on; nullptr for an ordinary
  // source. It lives until its last owner releases it. kFailedPrecondition when another sandbox
  // or the host uses it.
  Task<Result<std::shared_ptr<const Volume>>> claim(std::string owner, std::string source);
  // Gives everything of the owner back. Call it when the guest has none of the disks any more.
  Task<> release(std::string owner);
  // By its path or its device; nullptr when no container uses it.
  std::shared_ptr<const Volume> find(const std::string& name) const;
  // After the VM's end: nobody writes any more. The marks are the journal's to remove.
  void drop() {
    ended_ = true;
    volumes_.clear();
  }

 private:
  Result<std::shared_ptr<Volume>> open(const std::string& source) const;
  Result<std::string> mark(const std::string& source) const;
  Status unmark(const std::string& source) const;

  bool ended_ = false;
  AsyncMutex turn_;
  asio::thread_pool& pool_;
  std::string sandbox_id_;
  Journal& journal_;
  storage::DirectVolumes notes_;
  std::map<std::string, std::shared_ptr<Volume>> volumes_;  // by path
};

}  // namespace kata::runtime
