#include "runtime/guest_metrics.h"

#include <gtest/gtest.h>

namespace kata::runtime {
namespace {

GuestMetrics admit(std::string_view text) {
  SeriesBudget budget;
  return admit_guest_metrics(text, budget);
}

TEST(GuestMetrics, FamiliesAreKeptTogether) {
  const auto admitted = admit(
      "# HELP kata_guest_a A.\n# TYPE kata_guest_a gauge\nkata_guest_a{item=\"x\"} 1 1700000000\n"
      "# TYPE go_threads gauge\ngo_threads 3\nprocess_open_fds 4\n"
      "kata_guest_a{item=\"y\"} 2\n"
      "kata_guest_a{item=\"z\"} 3");
  EXPECT_EQ(admitted.refused, 0U);
  EXPECT_EQ(admitted.text,
            "# HELP kata_guest_a A.\n# TYPE kata_guest_a gauge\n"
            "kata_guest_a{item=\"x\"} 1\nkata_guest_a{item=\"y\"} 2\nkata_guest_a{item=\"z\"} 3\n"
            "# TYPE kata_agent_go_threads gauge\nkata_agent_go_threads 3\n"
            "# TYPE kata_agent_process_open_fds gauge\nkata_agent_process_open_fds 4\n");
}

TEST(GuestMetrics, TypesAreNotTheGuests) {
  const auto admitted = admit(
      "# TYPE kata_guest_load counter\nkata_guest_load 1\n"
      "# TYPE kata_agent_scrape_count gauge\nkata_agent_scrape_count 2\n"
      "# TYPE process_cpu_seconds_total histogram\nprocess_cpu_seconds_total 3\n"
      "# TYPE kata_agent_h histogram\nkata_agent_h_bucket{le=\"+Inf\"} 1\n");
  EXPECT_EQ(admitted.refused, 0U);
  EXPECT_EQ(admitted.text,
            "# TYPE kata_guest_load gauge\nkata_guest_load 1\n"
            "# TYPE kata_agent_scrape_count counter\nkata_agent_scrape_count 2\n"
            "# TYPE kata_agent_process_cpu_seconds_total counter\n"
            "kata_agent_process_cpu_seconds_total 3\n"
            "# TYPE kata_agent_h_bucket gauge\nkata_agent_h_bucket{le=\"+Inf\"} 1\n");
}

TEST(GuestMetrics, AGuestSpeaksForNobodyElse) {
  const auto admitted = admit(
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
  const auto admitted = admit(many);
  EXPECT_EQ(admitted.refused, 20000U - SeriesBudget::kMost);
  const auto huge = admit("kata_guest_a 1\n" + std::string(5 << 20, 'x'));
  EXPECT_GE(huge.refused, 1U);
  EXPECT_LT(huge.text.size(), 1U << 20);
}

TEST(GuestMetrics, ManyAnnouncedFamiliesAreRefusedQuickly) {
  std::string many;
  for (int i = 0; i < 60000; ++i) many += "# HELP go_" + std::to_string(i) + "\n";
  many += "kata_guest_late 1\n";
  const auto admitted = admit(many);
  EXPECT_EQ(admitted.refused, 60001U - 1000U);
  EXPECT_EQ(admitted.text, "");
}

TEST(SeriesBudget, ANewSeriesCostsAPermitAndAKnownOneNone) {
  Clock::time_point now{};
  SeriesBudget budget([&] { return now; });
  auto answer = [&](int from) {
    size_t taken = 0;
    budget.begin();
    for (int i = 0; i < 3000; ++i) {
      taken += budget.take("kata_guest_a", "i=\"" + std::to_string(from + i) + "\"");
    }
    return taken;
  };
  EXPECT_EQ(answer(0), 3000U);
  for (int again = 0; again < 5; ++again) EXPECT_EQ(answer(0), 3000U);
  EXPECT_EQ(answer(3000), 1000U);  // all of them new: what was left
  EXPECT_EQ(answer(6000), 0U);
  now += 100 * SeriesBudget::kPeriod;
  EXPECT_EQ(answer(9000), 100U);
  now += 100000 * SeriesBudget::kPeriod;
  EXPECT_EQ(answer(12000), 3000U);
  EXPECT_EQ(answer(15000), 1000U);
}

}  // namespace
}  // namespace kata::runtime
