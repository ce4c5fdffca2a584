#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Files of the kernel that depend on a container's limits.
enum class ViewFile : uint32_t { kCpuInfo = 1, kStat = 2, kMemInfo = 3, kOnline = 4 };

struct ViewPlace {
  ViewFile file;
  const char* name;         // in the view's folder of a container
  const char* destination;  // in the container
};
inline constexpr ViewPlace kViewPlaces[] = {
    {ViewFile::kCpuInfo, "cpuinfo", "/proc/cpuinfo"},
    {ViewFile::kStat, "stat", "/proc/stat"},
    {ViewFile::kMemInfo, "meminfo", "/proc/meminfo"},
    {ViewFile::kOnline, "online", "/sys/devices/system/cpu/online"},
};

// A read-only FUSE file system, <mount point>/<container>/<file>, whose files are made when they
// are read. Served on the agent's loop, so the agent itself must never look into the mount point;
// its children may. A file's text is kept for the reads after the first and for kFresh, whoever
// asks: at most one text per file and twenty a second, whatever a container does. Event-loop thread
// only; it lives as long as the loop.
class ViewFs {
 public:
  using Maker = std::function<std::string(ViewFile)>;
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kFresh{50};

  explicit ViewFs(std::function<Time()> clock = std::chrono::steady_clock::now)
      : clock_(std::move(clock)) {}

  // Mounts on first use; the mount goes with the guest. An error is final and comes back each time.
  Status start(asio::any_io_executor executor, const std::string& mount_point);
  // The folder of a container; an id in use is replaced.
  void add(const std::string& id, Maker maker);
  void remove(const std::string& id);

  // One request of the kernel (linux/fuse.h) to its answer; empty = none is wanted.
  std::string answer(std::string_view request);

 private:
  struct Text {
    std::string text;
    std::optional<Time> made;
  };
  struct Folder {
    std::string id;
    Maker maker;
    std::map<ViewFile, Text> texts;
  };

  static Task<> serve(ViewFs* self);
  Task<Error> answer_all();
  const std::string& text_of(uint64_t node, bool from_start);
  std::string look_up(uint64_t unique, uint64_t parent, std::string_view name);
  std::string read(uint64_t unique, uint64_t node, std::string_view body);
  bool exists(uint64_t node) const;

  std::function<Time()> clock_;
  UniqueFd device_;
  Status started_;
  bool tried_ = false;
  uint64_t next_ = 1;
  std::map<uint64_t, Folder> folders_;
};

}  // namespace kata::agent
