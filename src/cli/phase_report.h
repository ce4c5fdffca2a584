#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kata::cli {

// One start of a sandbox, as runtime::PhaseRecord writes it.
struct Start {
  std::string sandbox;
  std::map<std::string, std::string> notes;
  std::vector<std::pair<std::string, double>> phases;  // name, ms
  double total_ms = 0;
};
// kDataLoss for a text that is none.
Result<Start> parse_start(std::string_view line);
// Lines that are none are skipped: the log may have been cut.
std::vector<Start> parse_starts(std::string_view log);

// The start against the median of others with the same accelerator; phases that took longest
// beyond it first named. `others` may be empty.
std::string why_slow(const Start& start, const std::vector<Start>& others);

}  // namespace kata::cli
