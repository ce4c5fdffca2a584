#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log_limit.h"
#include "base/task.h"
#include "metrics/histogram.h"
#include "monitor/merged.h"
#include "monitor/sandboxes.h"

namespace kata::monitor {

// Asks all sandboxes for their figures at once, and counts how that went. One event loop; outlives
// its calls.
class Scraper {
 public:
  explicit Scraper(Roots roots) : roots_(std::move(roots)) {}

  // A sandbox has 3 s, all together have 8 s; who does not answer in time is left out, whole.
  Task<std::shared_ptr<const Merged>> scrape();
  // Our own figures.
  std::string own_figures() const;

 private:
  struct Round;
  static Task<> work(std::shared_ptr<Round> round);
  static Task<Status> ask(std::shared_ptr<Round> round, const Sandbox& sandbox);

  Roots roots_;
  size_t found_ = 0;  // sandboxes in the last round
  uint64_t scrapes_ = 0, failures_ = 0;
  metrics::Histograms durations_{"kata_monitor_scrape_durations_histogram_milliseconds",
                                 "Time to collect the figures of all sandboxes in milliseconds.",
                                 "", metrics::kUpstreamBuckets};
  log::Limit complaints_{0.1, 3};
};

}  // namespace kata::monitor
