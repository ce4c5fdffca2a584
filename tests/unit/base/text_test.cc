#include <gtest/gtest.h>

#include <thread>

#include "base/log.h"
#include "base/log_limit.h"
#include "base/utf8.h"

namespace kata {
namespace {

TEST(Text, OnlyWholeCharactersCount) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("\u00e9"), 2u);
  EXPECT_EQ(utf8_length("\u20ac"), 3u);
  EXPECT_EQ(utf8_length("\U0001f600"), 4u);
  for (const char* broken : {"", "\x80", "\xc0\x80", "\xc3", "\xe2\x82", "\xed\xa0\x80",
                             "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8_length(broken), 0u) << broken;
  }
}

TEST(Text, PrintableShowsWhatItTakesOut) {
  EXPECT_EQ(printable("a\tb\nc\u00e9"), "a\tb\nc\u00e9");
  EXPECT_EQ(printable("\x1b[2J\x80\xff"), "\\x1b[2J\\x80\\xff");
  EXPECT_EQ(printable("\u009b2J"), "\\xc2\\x9b2J");  // C1: a control sequence in one character
}

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(cut_text("abc", 5), "abc");
  EXPECT_EQ(cut_text("a\u20ac", 3), "a");
  EXPECT_EQ(cut_text("a\u20ac", 4), "a\u20ac");
  EXPECT_EQ(cut_text("\x80\x80\x80\x80\x80\x80", 5).size(), 2u);
}

TEST(LogText, RawBytesAndControlCharactersAreEscaped) {
  const std::string text = "\x80\xff \u00e9 \x1b[2J \u009bJ \"q\"";
  const std::string json = log::format_json(log::Level::kInfo, text, {});
  EXPECT_TRUE(json.starts_with(R"({"msg":"\\x80\\xff )"
                               "\u00e9"
                               R"( \u001b[2J \u009bJ \"q\"","level":"INFO")"))
      << json;
  const std::string line = log::format_logfmt(log::Level::kInfo, "m", {{"k", "\xc3"}});
  EXPECT_NE(line.find(R"(k="\\xc3")"), line.npos) << line;
}

TEST(LogText, LinesAreBounded) {
  log::Fields fields;
  for (int i = 0; i < 1000; ++i) fields.emplace_back("k", std::string(100'000, '\xff'));
  for (const std::string& line : {log::format_json(log::Level::kInfo, "m", fields),
                                  log::format_logfmt(log::Level::kInfo, "m", fields)}) {
    EXPECT_LT(line.size(), 100'000u);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
  }
  EXPECT_TRUE(log::format_json(log::Level::kInfo, "m", fields).ends_with("\"}\n"));
}

TEST(LogLimit, AFloodIsCountedInsteadOfWritten) {
  std::vector<std::string> lines;
  log::set_sink([&](log::Level level, std::string_view message, const log::Fields& fields) {
    lines.push_back(log::format_json(level, message, fields));
  });
  log::Limit limit(50, 3);
  for (int i = 0; i < 100; ++i) limit.write(log::Level::kDebug, "not at this level");
  for (int i = 0; i < 100; ++i) limit.write(log::Level::kWarn, "flood");
  const size_t written = lines.size();
  EXPECT_GE(written, 3u);
  EXPECT_LT(written, 90u);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  limit.write(log::Level::kWarn, "later");
  log::set_sink({});
  ASSERT_EQ(lines.size(), written + 1);
  EXPECT_NE(lines.back().find("left_out"), std::string::npos);
  EXPECT_EQ(lines.back().find("not at"), std::string::npos);
}

}  // namespace
}  // namespace kata
