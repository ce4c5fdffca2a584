// Prometheus text of a hostile guest: what is passed on must be well-formed, and pass again.
#include <cstdint>
#include <string_view>

#include "metrics/exposition.h"
#include "runtime/guest_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kata::runtime::SeriesBudget budget;
  const auto admitted = kata::runtime::admit_guest_metrics(text, budget);
  auto check = [](std::string_view line) -> kata::Status {
    if (!kata::metrics::parse_line(line)) __builtin_trap();
    return {};
  };
  kata::metrics::LineCutter cutter(SIZE_MAX, check);
  auto cut = cutter.add(admitted.text);
  if (cut) cut = cutter.finish();
  // A line that fitted may be too long once its family has our prefix.
  (void)cut;
  return 0;
}
