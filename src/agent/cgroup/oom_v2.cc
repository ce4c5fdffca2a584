#include <sys/inotify.h>
#include <unistd.h>

#include "agent/cgroup/cgroup_v2.h"

namespace kata::agent {
namespace {

class OomWatchV2 : public OomWatch {
 public:
  explicit OomWatchV2(CgroupDir dir) : dir_(std::move(dir)) {}

  // A removed cgroup makes no event of its own, so that its last process is watched for too.
  Status begin() {
    notify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!notify_) return fail_errno("create inotify");
    kills_watch_ = inotify_add_watch(notify_.get(), dir_.file("memory.events").c_str(), IN_MODIFY);
    if (kills_watch_ < 0 ||
        inotify_add_watch(notify_.get(), dir_.file("cgroup.events").c_str(), IN_MODIFY) < 0) {
      return fail_errno("watch the cgroup's events");
    }
    seen_ = dir_.table("memory.events")["oom_kill"];
    return {};
  }

  int fd() const override { return notify_.get(); }

  Result<uint64_t> take() override {
    alignas(inotify_event) char buffer[4096];
    while (read(notify_.get(), buffer, sizeof buffer) > 0) {
    }
    // In this order: a kill that empties the cgroup is counted before the end is seen.
    bool over = dir_.table("cgroup.events")["populated"] == 0;
    uint64_t now = dir_.table("memory.events")["oom_kill"];
    uint64_t fresh = now > seen_ ? now - seen_ : 0;
    if (!over) {
      seen_ = now;
      return fresh;
    }
    if (fresh == 0) return fail(Code::kNotFound, "cgroup is empty");
    seen_ = now;
    // Wakes the reader once more, to be told the end.
    (void)inotify_rm_watch(notify_.get(), kills_watch_);
    return fresh;
  }

 private:
  CgroupDir dir_;
  UniqueFd notify_;
  int kills_watch_ = -1;
  uint64_t seen_ = 0;
};

}  // namespace

Result<std::unique_ptr<OomWatch>> make_oom_watch_v2(const CgroupDir& dir) {
  auto watch = std::make_unique<OomWatchV2>(dir);
  TRY_STATUS(watch->begin());
  return watch;
}

}  // namespace kata::agent
