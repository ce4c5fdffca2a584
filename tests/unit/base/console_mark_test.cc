#include "base/console_mark.h"

#include <gtest/gtest.h>

namespace kata {
namespace {

struct Heard {
  std::string text, marks;
  void feed(MarkScanner& scanner, std::string_view data) {
    scanner.feed(
        data, [&](std::string_view t) { text += t; },
        [&](std::string_view m) { marks += "<" + std::string(m) + ">"; });
  }
};

TEST(ConsoleMark, MarksAreTakenOutHoweverTheStreamIsCut) {
  const std::string stream = console_mark("hello") + "a\x1b[1mb" + console_mark("size=24x80") +
                             "c\x1b]0;title\a" + console_mark("exit=3");
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    MarkScanner scanner;
    Heard heard;
    for (size_t at = 0; at < stream.size(); at += piece)
      heard.feed(scanner, stream.substr(at, piece));
    EXPECT_EQ(heard.text + scanner.rest(), "a\x1b[1mbc\x1b]0;title\a") << piece;
    EXPECT_EQ(heard.marks, "<hello><size=24x80><exit=3>") << piece;
  }
}

TEST(ConsoleMark, ALoneEscapeKeyIsNotHeldBack) {
  MarkScanner scanner(2);
  Heard heard;
  heard.feed(scanner, "x\x1b");
  EXPECT_EQ(heard.text, "x\x1b");
}

TEST(ConsoleMark, AnEndlessMarkIsText) {
  const std::string endless = console_mark(std::string(100, 'x'));
  MarkScanner scanner;
  Heard heard;
  heard.feed(scanner, endless);
  heard.feed(scanner, "more");
  EXPECT_EQ(heard.text, endless + "more");
  EXPECT_EQ(heard.marks, "");
}

TEST(ConsoleMark, AnUnfinishedMarkIsKeptForTheRest) {
  MarkScanner scanner;
  Heard heard;
  const std::string half = console_mark("exit=1").substr(0, 14);
  heard.feed(scanner, "a" + half);
  EXPECT_EQ(heard.text, "a");
  EXPECT_EQ(scanner.rest(), half);
}

}  // namespace
}  // namespace kata
