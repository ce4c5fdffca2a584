#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/cgroup/cgroup_v1.h"
#include "base/file.h"

namespace kata::agent {
namespace {

class OomWatchV1 : public OomWatch {
 public:
  OomWatchV1(CgroupDir dir, UniqueFd event, UniqueFd control, uint64_t seen)
      : dir_(std::move(dir)), event_(std::move(event)), control_(std::move(control)), seen_(seen) {}

  int fd() const override { return event_.get(); }

  Result<uint64_t> take() override {
    uint64_t wakes = 0;
    if (read(event_.get(), &wakes, sizeof wakes) < 0) wakes = 0;
    auto control = dir_.table("memory.oom_control");
    // The kernel also wakes the watcher when the cgroup is removed.
    if (control.empty()) return fail(Code::kNotFound, "cgroup is gone");
    if (!control.contains("oom_kill")) return wakes;
    uint64_t now = control["oom_kill"];
    uint64_t fresh = now > seen_ ? now - seen_ : 0;
    // The wake-up comes before the kill is counted, and none follows it: the kill to come is
    // counted in advance, unless one already is or nothing will be killed.
    bool in_advance = seen_ > now;
    bool kills = control["oom_kill_disable"] == 0;
    if (fresh == 0 && wakes > 0 && !in_advance && kills) fresh = 1;
    seen_ += fresh;
    return fresh;
  }

 private:
  CgroupDir dir_;
  UniqueFd event_;
  UniqueFd control_;  // kept open: the registration names it
  uint64_t seen_;
};

}  // namespace

Result<std::unique_ptr<OomWatch>> make_oom_watch_v1(const CgroupDir& memory) {
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail_errno("create eventfd");
  TRY(UniqueFd control, open_file(memory.file("memory.oom_control"), O_RDONLY));
  TRY_STATUS(memory.write("cgroup.event_control",
                          std::to_string(event.get()) + ' ' + std::to_string(control.get())));
  uint64_t seen = memory.table("memory.oom_control")["oom_kill"];
  return std::make_unique<OomWatchV1>(memory, std::move(event), std::move(control), seen);
}

}  // namespace kata::agent
