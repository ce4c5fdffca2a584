#include "runtime/guest_metrics.h"

#include <gtest/gtest.h>

namespace kata::runtime {
namespace {

TEST(GuestMetrics, FamiliesAreKeptTogether) {
  const auto admitted = admit_guest_metrics(
      "# HELP kata_guest_a A.\n# TYPE kata_guest_a gauge\nkata_guest_a{item=\"x\"} 1 1700000000\n"
      "# TYPE go_threads gauge\ngo_threads 3\nprocess_open_fds 4\n"
      "kata_guest_a{item=\"y\"} 2\n"
      "# TYPE kata_agent_h histogram\nkata_agent_h_bucket{le=\"+Inf\"} 1\nkata_agent_h_sum 2\n"
      "kata_agent_h_count 1");
  EXPECT_EQ(admitted.refused, 0U);
  EXPECT_EQ(admitted.text,
            "# HELP kata_guest_a A.\n# TYPE kata_guest_a gauge\n"
            "kata_guest_a{item=\"x\"} 1\nkata_guest_a{item=\"y\"} 2\n"
            "# TYPE kata_agent_go_threads gauge\n"
            "kata_agent_go_threads 3\n"
            ""
            "# TYPE kata_agent_process_open_fds untyped\nkata_agent_process_open_fds 4\n"
            "# TYPE kata_agent_h histogram\n"
            "kata_agent_h_bucket{le=\"+Inf\"} 1\nkata_agent_h_sum 2\nkata_agent_h_count 1\n");
}

TEST(GuestMetrics, AGuestSpeaksForNobodyElse) {
  const auto admitted = admit_guest_metrics(
      "kata_shim_threads 1\nkata_hypervisor_fds 1\nkata_monitor_scrape_count 1\nup 1\n"
      "kata_guest_a{sandbox_id=\"other\"} 1\nkata_guest_a{cri_name=\"other\"} 1\n"
      "kata_guest_a{x=\"\xff\"} 1\nkata_guest_a nonsense\n# TYPE kata_guest_a what\n\x01\x02\n"
      "kata_guest_good 1\n");
  EXPECT_EQ(admitted.refused, 10U);
  EXPECT_NE(admitted.text.find("\nkata_guest_good 1\n"), std::string::npos);
  EXPECT_EQ(admitted.text.find("kata_guest_a"), std::string::npos) << admitted.text;
}

TEST(GuestMetrics, AreBounded) {
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "kata_guest_a{i=\"" + std::to_string(i) + "\"} 1\n";
  const auto admitted = admit_guest_metrics(many);
  EXPECT_EQ(admitted.refused, 10000U);
  const auto huge = admit_guest_metrics("kata_guest_a 1\n" + std::string(5 << 20, 'x'));
  EXPECT_GE(huge.refused, 1U);
  EXPECT_LT(huge.text.size(), 1U << 20);
}

}  // namespace
}  // namespace kata::runtime
