#include "metrics/exposition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "metrics/text.h"

namespace kata::metrics {
namespace {

using Kind = Line::Kind;

TEST(Exposition, SamplesAreTakenApart) {
  auto line = parse_line("a_total{x=\"1\",y=\"a\\\"b,}\\\\ \\n\"} 1.5e3 1700000000000");
  ASSERT_TRUE(line) << line.error().message();
  EXPECT_EQ(line->kind, Kind::kSample);
  EXPECT_EQ(line->name, "a_total");
  EXPECT_EQ(line->labels, "x=\"1\",y=\"a\\\"b,}\\\\ \\n\"");
  EXPECT_EQ(line->value, 1500);
  std::string seen;
  for_each_label(line->labels, [&](std::string_view name, std::string_view value) {
    seen.append(name).append("=").append(value).append(";");
  });
  EXPECT_EQ(seen, "x=1;y=a\\\"b,}\\\\ \\n;");
}

TEST(Exposition, NumbersOfEveryForm) {
  EXPECT_EQ(parse_line("a 1")->value, 1);
  EXPECT_EQ(parse_line("a{} +2.5")->value, 2.5);
  EXPECT_EQ(parse_line("a -.5")->value, -0.5);
  EXPECT_TRUE(std::isnan(parse_line("a NaN")->value));
  EXPECT_EQ(parse_line("a +Inf")->value, INFINITY);
  EXPECT_EQ(parse_line("a -Inf")->value, -INFINITY);
}

TEST(Exposition, CommentsAndBlankLines) {
  EXPECT_EQ(parse_line("")->kind, Kind::kNothing);
  EXPECT_EQ(parse_line("# anything")->kind, Kind::kNothing);
  auto type = parse_line("# TYPE a_b histogram");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->kind, Kind::kType);
  EXPECT_EQ(type->name, "a_b");
  EXPECT_EQ(type->text, "histogram");
  EXPECT_EQ(parse_line("# HELP a some words")->text, "some words");
}

// Each of these would cost Prometheus the whole scrape.
TEST(Exposition, HostileLinesAreRefused) {
  for (std::string_view text : {"a",
                                "a ",
                                "a{",
                                "a{x} 1",
                                "a{x=1} 1",
                                "a{x=\"1} 1",
                                "a{x=\"1\"y=\"2\"} 1",
                                "a{x=\"1\",x=\"2\"} 1",
                                "a{x=\"1\",} 1",
                                "a{:x=\"1\"} 1",
                                "a{x=\"\\q\"} 1",
                                "a{x=\"\xff\"} 1",
                                "a{x=\"\x01\"} 1",
                                "a{x=\"\\",
                                "1a 1",
                                "-a 1",
                                "a b",
                                "a 1 b",
                                "a 1 2 3",
                                "a nan",
                                "a inf",
                                "a 0x10",
                                "a 1e999x",
                                "a 1,5",
                                "a{x=\"1\"}1x",
                                "# TYPE a weird",
                                "# TYPE 1 gauge",
                                "# HELP a \x1b[2J",
                                "# HELP a \xc3"}) {
    EXPECT_FALSE(parse_line(text)) << text;
  }
  EXPECT_FALSE(parse_line(std::string_view("a{x=\"\0\"} 1", 10)));
  std::string many = "a{";
  for (int i = 0; i < 33; ++i) many += (i ? ",l" : "l") + std::to_string(i) + "=\"\"";
  EXPECT_FALSE(parse_line(many + "} 1"));
}

TEST(Exposition, RandomBytesNeverBreakIt) {
  std::mt19937 dice(7);
  constexpr std::string_view kBytes = "a_{}\"\\,= 1e+-#\n\t\xc3\xa9\xff";
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    for (auto n = dice() % 40; n > 0; --n) text += kBytes[dice() % kBytes.size()];
    auto line = parse_line(text);
    if (line && line->kind == Kind::kSample) {
      for_each_label(line->labels,
                     [](std::string_view name, std::string_view) { EXPECT_FALSE(name.empty()); });
    }
  }
}

TEST(Exposition, PartsOfHistogramsBelongToThem) {
  EXPECT_TRUE(belongs_to("h_bucket", "h", "histogram"));
  EXPECT_TRUE(belongs_to("h_sum", "h", "summary"));
  EXPECT_FALSE(belongs_to("h_bucket", "h", "summary"));
  EXPECT_FALSE(belongs_to("h_sum", "h", "gauge"));
  EXPECT_FALSE(belongs_to("h_other", "h", "histogram"));
}

TEST(LineCutter, LinesInAnyPieces) {
  const std::string text = "one\ntwo\n\nfour";
  for (size_t size = 1; size <= text.size(); ++size) {
    std::string seen;
    LineCutter cutter(100, [&](std::string_view line) -> Status {
      seen.append("<").append(line).append(">");
      return {};
    });
    for (size_t at = 0; at < text.size(); at += size) {
      ASSERT_TRUE(cutter.add(std::string_view(text).substr(at, size)));
    }
    ASSERT_TRUE(cutter.finish());
    EXPECT_EQ(seen, "<one><two><><four>") << size;
  }
}

TEST(LineCutter, HasLimits) {
  auto nothing = [](std::string_view) -> Status { return {}; };
  LineCutter small(10, nothing);
  EXPECT_TRUE(small.add("12345\n"));
  EXPECT_EQ(small.add("12345").error().code(), Code::kResourceExhausted);
  LineCutter large(1 << 20, nothing);
  EXPECT_FALSE(large.add(std::string(LineCutter::kMaxLine + 1, 'x')));
  LineCutter whole(1 << 20, nothing);
  EXPECT_FALSE(whole.add(std::string(LineCutter::kMaxLine + 1, 'x') + "\n"));
}

TEST(Text, NumbersReadAsTheSame) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(1234567890123), "1234567890123");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(-INFINITY), "-Inf");
  EXPECT_EQ(parse_line("a " + number(1.0 / 3))->value, 1.0 / 3);
  EXPECT_EQ(parse_line("a " + number(1e300))->value, 1e300);
}

TEST(Text, LabelsAreEscaped) {
  EXPECT_EQ(label("m", "a\"b\\c\nd"), "m=\"a\\\"b\\\\c\\nd\"");
}

}  // namespace
}  // namespace kata::metrics
