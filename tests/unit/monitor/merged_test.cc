#include "monitor/merged.h"

#include <gtest/gtest.h>

namespace kata::monitor {
namespace {

size_t add(Merged& merged, const std::string& id, const std::string& text) {
  Merged::Reader reader(merged);
  auto each = [&](std::string_view line) { return reader.add_line(line); };
  metrics::LineCutter cutter(1 << 20, each);
  EXPECT_TRUE(cutter.add(text));
  EXPECT_TRUE(cutter.finish());
  const size_t refused = reader.refused();
  merged.keep(std::move(reader), "sandbox_id=\"" + id + "\"");
  return refused;
}

std::string all_of(Merged::Writer writer) {
  std::string text;
  while (true) {
    std::string piece;
    const bool more = writer.next_piece(&piece);
    text += piece;
    if (!more) return text;
  }
}

std::string all_of(const std::shared_ptr<Merged>& merged, std::vector<std::string> only = {}) {
  merged->settle_order();
  return all_of(Merged::Writer(merged, std::move(only)));
}

TEST(Merged, FamiliesOfAllSandboxesStandTogether) {
  auto merged = std::make_shared<Merged>();
  add(*merged, "1", "# HELP b B.\n# TYPE b gauge\nb{i=\"x\"} 1\n# TYPE a counter\na 2\n");
  add(*merged, "2", "# TYPE a counter\na 3\n# TYPE b gauge\nb{i=\"x\"} 4\nb{i=\"y\"} 5\n");
  EXPECT_EQ(all_of(merged),
            "# TYPE a counter\na{sandbox_id=\"1\"} 2\na{sandbox_id=\"2\"} 3\n"
            "# HELP b B.\n# TYPE b gauge\nb{i=\"x\",sandbox_id=\"1\"} 1\n"
            "b{i=\"x\",sandbox_id=\"2\"} 4\nb{i=\"y\",sandbox_id=\"2\"} 5\n");
}

TEST(Merged, HistogramsStayWhole) {
  auto merged = std::make_shared<Merged>();
  const std::string text = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n";
  add(*merged, "1", text);
  add(*merged, "2", text);
  const std::string all = all_of(merged);
  EXPECT_EQ(all.find("# TYPE"), all.rfind("# TYPE"));
  EXPECT_NE(all.find("h_bucket{le=\"+Inf\",sandbox_id=\"2\"} 1\n"), std::string::npos) << all;
}

TEST(Merged, ProgramsOwnFamiliesAreTheShims) {
  auto merged = std::make_shared<Merged>();
  add(*merged, "1", "# TYPE process_open_fds gauge\nprocess_open_fds 7\ngo_goroutines 1\n");
  const std::string all = all_of(merged);
  EXPECT_NE(all.find("kata_shim_process_open_fds{sandbox_id=\"1\"} 7\n"), std::string::npos) << all;
  EXPECT_NE(all.find("kata_shim_go_goroutines{sandbox_id=\"1\"} 1\n"), std::string::npos) << all;
}

TEST(Merged, OnlyWhatIsWanted) {
  auto merged = std::make_shared<Merged>();
  add(*merged, "1", "kata_guest_load 1\nkata_shim_fds 2\nb 3\nab 4\n");
  const std::string all = all_of(merged, {"kata_guest", "b"});
  EXPECT_NE(all.find("kata_guest_load"), std::string::npos);
  EXPECT_NE(all.find("\nb{"), std::string::npos);
  EXPECT_EQ(all.find("kata_shim_fds"), std::string::npos);
  EXPECT_EQ(all.find("ab{"), std::string::npos);
}

TEST(Merged, OneSandboxCannotSpeakForAnotherOrSpoilTheRest) {
  auto merged = std::make_shared<Merged>();
  EXPECT_EQ(add(*merged, "bad", "a{sandbox_id=\"good\"} 1\na{cri_name=\"x\"} 1\nnonsense\na{ 1\n"),
            4U);
  // It calls the family something else, and is the first one to do so.
  add(*merged, "worse", "# TYPE a histogram\na 9\n");
  add(*merged, "good", "# TYPE a gauge\na 5\n");
  add(*merged, "also", "# TYPE a gauge\na 6\n");
  EXPECT_EQ(all_of(merged), "# TYPE a gauge\na{sandbox_id=\"good\"} 5\na{sandbox_id=\"also\"} 6\n");
}

TEST(Merged, WhatIsNotKeptLeavesNothing) {
  auto merged = std::make_shared<Merged>();
  {
    Merged::Reader reader(*merged);
    EXPECT_TRUE(reader.add_line("a 1"));
  }
  EXPECT_EQ(all_of(merged), "");
}

TEST(Merged, SamplesOfOneSandboxAreBounded) {
  auto merged = std::make_shared<Merged>();
  Merged::Reader reader(*merged);
  for (int i = 0; i < 30000; ++i) EXPECT_TRUE(reader.add_line("a 1"));
  EXPECT_EQ(reader.refused(), 10000U);
}

TEST(Merged, LargeOnesComeInPieces) {
  auto merged = std::make_shared<Merged>();
  for (int i = 0; i < 3000; ++i) {
    add(*merged, std::to_string(i), "kata_guest_something_long{item=\"abcdefgh\"} 1\n");
  }
  merged->settle_order();
  Merged::Writer writer(merged, {});
  std::string piece;
  EXPECT_TRUE(writer.next_piece(&piece));
  EXPECT_LT(piece.size(), 70000U);
  size_t lines = 0;
  const std::string all = piece + all_of(std::move(writer));
  for (char c : all) lines += c == '\n';
  EXPECT_EQ(lines, 3001U);
}

}  // namespace
}  // namespace kata::monitor
