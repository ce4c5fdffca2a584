#include "runtime/health_watch.h"

#include <algorithm>

#include "base/log.h"

namespace kata::runtime {

namespace {

constexpr Clock::duration kInterval = 1s;
// An answer is late after eight times the usual round trip, within these bounds. Interval and
// least patience together stay below the two seconds in which silence is noticed.
constexpr Clock::duration kLeastPatience = 900ms;
constexpr Clock::duration kMostPatience = 10s;
constexpr int kPatienceFactor = 8;
// Between two looks at a silent guest.
constexpr Clock::duration kLook = 1s;
// The first report comes at once, the next ones ever more rarely.
constexpr Clock::duration kFirstPause = 2s;
constexpr Clock::duration kLongestPause = 60s;
// A VMM with less is idle: its timers tick, its guest does not work.
constexpr double kIdleShare = 0.05;
constexpr Clock::duration kHangsAfter = 5s;

std::string seconds(Clock::duration time) {
  char text[32];
  snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(time).count());
  return text;
}

}  // namespace

Task<> HealthWatch::run(std::shared_ptr<void> keep, AgentClient& agent) {
  auto executor = co_await asio::this_coro::executor;
  Event closed = agent.closed();
  while (!co_await closed.wait_for(kInterval)) {
    Event answered(executor);
    asked_ = Clock::now();
    look_at_vmm();
    spawn(executor, ask(keep, &agent, answered));
    const auto patience =
        std::clamp<Clock::duration>(usual_ * kPatienceFactor, kLeastPatience, kMostPatience);
    if (!co_await answered.wait_for(patience)) co_await sit_out(answered, closed);
    learn(Clock::now() - asked_);
  }
}

// Without a time limit: the answer that comes late says that the guest is back.
Task<> HealthWatch::ask(std::shared_ptr<void> /*keep*/, AgentClient* agent, Event answered) {
  auto checked = co_await agent->check(Clock::duration::zero());
  if (!checked) log::debug("agent check", {{"error", checked.error().message()}});
  answered.set();
}

Task<> HealthWatch::sit_out(Event answered, Event closed) {
  silent_ = true;
  auto report_at = Clock::now();
  Clock::duration pause = kFirstPause;
  do {
    look_at_vmm();
    if (Clock::now() >= report_at) {
      report();
      report_at = Clock::now() + pause;
      pause = std::min<Clock::duration>(pause * 2, kLongestPause);
    }
    if (options_.limit && !gave_up_ && Clock::now() - asked_ >= *options_.limit && hangs()) {
      gave_up_ = true;
      options_.give_up("the guest did not answer for " + seconds(Clock::now() - asked_));
    }
  } while (!co_await answered.wait_for(kLook));
  if (closed.is_set()) co_return;  // the end of the connection ends every question
  silent_ = false;
  log::warn("the guest answers again", {{"silent", seconds(Clock::now() - asked_)}});
}

void HealthWatch::look_at_vmm() {
  if (options_.activity() >= kIdleShare) last_active_ = Clock::now();
}

void HealthWatch::report() const {
  const bool idle = Clock::now() - last_active_ >= kLook;
  log::warn("the guest does not answer",
            {{"silent", seconds(Clock::now() - asked_)},
             {"vmm", idle ? "idle: stopped, or its guest hangs" : "busy: the guest may be slow"}});
}

void HealthWatch::learn(Clock::duration round_trip) {
  usual_ = usual_ == Clock::duration::zero() ? round_trip : (usual_ * 7 + round_trip) / 8;
}

std::optional<Clock::duration> HealthWatch::silence() const {
  if (!silent_) return std::nullopt;
  return Clock::now() - asked_;
}

bool HealthWatch::hangs() const {
  // An idle guest is not active before the question either: only what followed it counts.
  return silent_ && Clock::now() - std::max(last_active_, asked_) >= kHangsAfter;
}

}  // namespace kata::runtime
