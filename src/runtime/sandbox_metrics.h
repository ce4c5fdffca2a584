#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event.h"
#include "base/log_limit.h"
#include "runtime/sandbox.h"
#include "runtime/series_budget.h"

namespace kata::runtime {

// Figures of one sandbox as Prometheus text: this process, VMM, file-system daemon, what the pod
// costs beyond its containers, phases of the start, agent and guest
// (facts/cli-and-monitor.md section 7). One event loop.
class SandboxMetrics {
 public:
  explicit SandboxMetrics(std::weak_ptr<Sandbox> sandbox) : sandbox_(std::move(sandbox)) {}

  // Callers at the same time get the same text. A guest that does not answer within 2.5 s costs its
  // own figures only; kata-monitor waits 3 s. Empty when the sandbox is gone. The object outlives
  // the call.
  Task<std::string> collect();

 private:
  // CPU time in ns, by container.
  struct Usage {
    Clock::time_point at;
    double host = 0;
    std::map<std::string, double> containers;
    double container_memory = 0;  // bytes
  };

  Task<std::string> make(std::shared_ptr<Sandbox> sandbox);
  Task<> add_guest(std::shared_ptr<Sandbox> sandbox, metrics::Text* out);
  Task<std::optional<Usage>> measure(std::shared_ptr<Sandbox> sandbox, Clock::time_point deadline);
  void add_overhead(const Sandbox& sandbox, Usage usage, metrics::Text* out);

  std::weak_ptr<Sandbox> sandbox_;
  std::optional<Promise<std::shared_ptr<const std::string>>> running_;
  std::optional<Usage> before_;
  std::optional<double> cpu_overhead_;
  SeriesBudget series_;  // of the guest
  log::Limit refusals_{0.01, 1};
};

}  // namespace kata::runtime
