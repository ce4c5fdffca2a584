#include "http/request.h"

#include <gtest/gtest.h>

#include <random>

namespace kata::http {
namespace {

Code code_of(const Result<Request>& result) {
  return result ? Code::kOk : result.error().code();
}

TEST(HttpHead, IsTakenApart) {
  auto request = parse_head(
      "GET /metrics?sandbox=a%20b&filter_family=x,y&sandbox=2&empty HTTP/1.1\r\n"
      "Host: localhost:8090\r\nACCEPT:  text/html \r\nAccept: second");
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/metrics");
  EXPECT_EQ(request->parameter("sandbox"), "a b");
  EXPECT_EQ(request->parameter("filter_family"), "x,y");
  EXPECT_EQ(request->parameter("absent"), "");
  EXPECT_EQ(request->header("accept"), "text/html");
  EXPECT_FALSE(request->old);
}

TEST(HttpHead, OtherFormsOfTheTarget) {
  EXPECT_EQ(parse_head("GET http://shim/agent-url HTTP/1.1")->path, "/agent-url");
  EXPECT_EQ(parse_head("GET http://shim HTTP/1.1")->path, "/");
  EXPECT_EQ(parse_head("GET /a+b#x HTTP/1.0\n")->path, "/a+b");
  EXPECT_TRUE(parse_head("GET / HTTP/1.0")->old);
}

TEST(HttpHead, MalformedOnesAreRefused) {
  for (const char* head :
       {"", "GET", "GET /", "GET  HTTP/1.1", "G(T / HTTP/1.1", "GET a HTTP/1.1", "GET /%0 HTTP/1.1",
        "GET /%zz HTTP/1.1", "GET /%00 HTTP/1.1", "GET /a\x01 HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /?a=%+1 HTTP/1.1", "GET / HTTP/1.1\r\nno colon", "GET / HTTP/1.1\r\n: x",
        "GET / HTTP/1.1\r\na b: x", "GET / HTTP/1.1\r\na: x\ry", "GET / FTP/1.1"}) {
    EXPECT_EQ(code_of(parse_head(head)), Code::kInvalidArgument) << head;
  }
  EXPECT_EQ(code_of(parse_head("GET / HTTP/2.0")), Code::kUnimplemented);
  std::string many = "GET / HTTP/1.1";
  for (size_t i = 0; i <= kMaxHeaders; ++i) many += "\r\nh" + std::to_string(i) + ": x";
  EXPECT_EQ(code_of(parse_head(many)), Code::kResourceExhausted);
}

TEST(HttpHead, RandomBytesNeverBreakIt) {
  std::mt19937 dice(3);
  constexpr std::string_view kBytes = "GET /%aF?&=+# HTTP/1.1\r\n:x\xff\x01";
  for (int round = 0; round < 50000; ++round) {
    std::string text = dice() % 2 ? "GET /" : "";
    for (auto n = dice() % 60; n > 0; --n) text += kBytes[dice() % kBytes.size()];
    auto request = parse_head(text);
    if (request) {
      EXPECT_TRUE(request->path.starts_with('/')) << text;
    }
  }
}

TEST(HttpBody, LengthIsChecked) {
  auto length = [](const char* text) { return body_length({{"content-length", text}}, 100); };
  EXPECT_EQ(*length("100"), 100U);
  EXPECT_EQ(length("101").error().code(), Code::kResourceExhausted);
  EXPECT_EQ(length("99999999999999999999999").error().code(), Code::kResourceExhausted);
  EXPECT_EQ(length("-1").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(length("1 2").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(*body_length({}, 100), 0U);
  EXPECT_EQ(body_length({{"transfer-encoding", "chunked"}}, 100).error().code(),
            Code::kUnimplemented);
}

TEST(HttpPercent, ThereAndBack) {
  const std::string text = "a b/c?d=\xc3\xa9%&+";
  std::string back;
  ASSERT_TRUE(decode_percent(encode_percent(text), true, &back));
  EXPECT_EQ(back, text);
}

}  // namespace
}  // namespace kata::http
