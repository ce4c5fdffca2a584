#pragma once

#include <string>
#include <string_view>

#include "runtime/series_budget.h"

namespace kata::runtime {

// What of a guest's Prometheus text is passed on: well-formed families named kata_guest_* and
// kata_agent_* (go_* and process_* are named kata_agent_* first), each in one piece, without time
// stamps and without the labels that the monitor sets. Their types are those of
// facts/cli-and-monitor.md 7.5 and 7.6, whatever the guest calls them. A guest must not be able to
// speak for the host or for other sandboxes, nor to spoil everybody's scrape.
struct GuestMetrics {
  std::string text;
  size_t refused = 0;  // lines
};
GuestMetrics admit_guest_metrics(std::string_view text, SeriesBudget& budget);

}  // namespace kata::runtime
