#include "cli/phase_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/phase_record.h"

namespace kata::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Start start(const std::string& id, double vmm, double kernel, const std::string& accel = "tcg") {
  return {.sandbox = id,
          .notes = {{"accelerator", accel}},
          .phases = {{"vmm-spawn", vmm}, {"kernel", kernel}},
          .total_ms = vmm + kernel};
}

TEST(PhaseReport, ReadsWhatTheRuntimeWrites) {
  runtime::PhaseRecord record("sandbox-1");
  record.note("accelerator", "tcg");
  record.begin("config");
  record.begin("kernel");
  record.end();
  auto read = parse_start(record.to_json());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->sandbox, "sandbox-1");
  EXPECT_EQ(read->notes.at("accelerator"), "tcg");
  ASSERT_EQ(read->phases.size(), 2u);
  EXPECT_EQ(read->phases[1].first, "kernel");
}

TEST(PhaseReport, BrokenLinesAreSkipped) {
  runtime::PhaseRecord record("s1");
  const std::string good = record.to_json();
  for (const char* bad :
       {"", "x", "[]", "{}", "{\"sandbox\":1}", "{\"sandbox\":\"a\",\"phases\":[1],\"total_ms\":1}",
        "{\"sandbox\":\"a\",\"phases\":[{\"name\":\"x\"}],\"total_ms\":1}",
        "{\"sandbox\":\"a\",\"phases\":[],\"total_ms\":\"1\"}"}) {
    EXPECT_FALSE(parse_start(bad)) << bad;
    EXPECT_EQ(parse_starts(std::string(bad) + "\n" + good + bad).size(), 1u) << bad;
  }
}

TEST(PhaseReport, NamesThePhaseThatIsFarthestBeyondTheMedian) {
  const std::string text = why_slow(
      start("s", 70, 5000),
      {start("a", 60, 1000), start("b", 80, 1200), start("c", 50, 1100), start("s", 1, 1)});
  EXPECT_THAT(text, HasSubstr("Slower than the median of 3 starts, most of all in phase kernel."));
  EXPECT_THAT(text, HasSubstr("kata-runtime check"));
  EXPECT_THAT(text, AllOf(HasSubstr("5000 ms"), HasSubstr("1100 ms"), HasSubstr("+3900 ms")));
}

TEST(PhaseReport, OnlyStartsWithTheSameAcceleratorAreCompared) {
  const std::string text = why_slow(start("s", 70, 5000), {start("a", 60, 100, "kvm")});
  EXPECT_THAT(text, HasSubstr("no other start with this accelerator"));
}

TEST(PhaseReport, AnOrdinaryStartIsCalledOne) {
  EXPECT_THAT(why_slow(start("s", 70, 1000), {start("a", 75, 1010)}), HasSubstr("Not slower"));
}

TEST(PhaseReport, NothingReachesTheTerminalUnseen) {
  Start hostile = start("s", 1, 1);
  hostile.notes["vmm"] = "\x1b[2J";
  EXPECT_THAT(why_slow(hostile, {}), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace kata::cli
