#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event.h"
#include "runtime/agent_client.h"

namespace kata::runtime {

// Asks the guest's agent every second whether it is there (docs/design/runtime.md, "Health"). A
// late answer is a warning, never a verdict: a starved guest is not a dead one. How late is late
// follows from the answers so far; a guest that falls silent is noticed within two seconds, one
// that always was slow a little later. One event loop.
class HealthWatch {
 public:
  struct Options {
    // Share of a CPU that the VMM wanted since the last call.
    std::function<double()> activity;
    // Silence of an idle guest after which `give_up` is called; absent = never.
    std::optional<Clock::duration> limit;
    std::function<void(std::string reason)> give_up;
  };

  explicit HealthWatch(Options options) : options_(std::move(options)) {}

  // Comes back when the agent's connection is closed. `keep` owns the agent and this object.
  Task<> run(std::shared_ptr<void> keep, AgentClient& agent);

  // How long a question has gone without an answer; empty while the guest answers in time.
  std::optional<Clock::duration> silence() const;
  // Silent, and for some seconds its VMM has not even tried to run: stopped, frozen or stuck.
  bool hangs() const;

 private:
  static Task<> ask(std::shared_ptr<void> keep, AgentClient* agent, Event answered);
  Task<> sit_out(Event answered, Event closed);
  void look_at_vmm();
  void report() const;
  void learn(Clock::duration round_trip);

  Options options_;
  Clock::time_point asked_;
  bool silent_ = false;
  bool gave_up_ = false;
  Clock::time_point last_active_ = Clock::now();
  Clock::duration usual_{0};  // smoothed round trip
};

}  // namespace kata::runtime
