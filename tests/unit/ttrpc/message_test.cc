// Fields of bytes that are written and read without protobuf, held against protobuf.
#include "ttrpc/message.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ttrpc/frame.h"
#include "ttrpc/ttrpc.pb.h"

namespace kata::ttrpc {
namespace {

constexpr unsigned kPayload = ::ttrpc::Response::kPayloadFieldNumber;

std::string by_protobuf(const std::string& payload) {
  ::ttrpc::Response response;
  response.set_payload(payload);
  return response.SerializeAsString();
}

TEST(BytesFieldTest, WrittenAsProtobufWritesIt) {
  for (size_t size : {0, 1, 127, 128, 16383, 16384, 262144, 2097151, 2097152}) {
    const std::string payload(size, 'x');
    EXPECT_EQ(bytes_field_head(kPayload, size) + payload, by_protobuf(payload)) << size;
    EXPECT_EQ(success_head(size), bytes_field_head(kPayload, size));
  }
}

TEST(BytesFieldTest, FoundInPlace) {
  for (size_t size : {1, 127, 128, 16384, 2097152}) {
    const std::string message = by_protobuf(std::string(size, 'x'));
    auto begin = sole_bytes_field(message, kPayload);
    ASSERT_TRUE(begin) << size;
    EXPECT_EQ(message.size() - *begin, size);
  }
}

TEST(BytesFieldTest, EverythingElseIsLeftToTheParser) {
  const std::string field = by_protobuf("abc");
  EXPECT_FALSE(sole_bytes_field("", kPayload));
  EXPECT_FALSE(sole_bytes_field(field.substr(0, 1), kPayload)) << "no length";
  EXPECT_FALSE(sole_bytes_field(field.substr(0, 4), kPayload)) << "cut short";
  EXPECT_FALSE(sole_bytes_field(field + field, kPayload)) << "the last of two counts";
  EXPECT_FALSE(sole_bytes_field(field + '\0', kPayload));
  EXPECT_FALSE(sole_bytes_field(field, kPayload + 1)) << "another field";
  EXPECT_FALSE(sole_bytes_field("\x12\x83\x80\x80\x80\x80\x80", kPayload)) << "endless length";
  EXPECT_FALSE(
      sole_bytes_field("\x12\xff\xff\xff\xff\x0f"
                       "abc",
                       kPayload))
      << "4 GiB - 1";
  EXPECT_FALSE(
      sole_bytes_field("\x12\xff\xff\xff\xff\x7f"
                       "abc",
                       kPayload))
      << "32 GiB - 1";
}

TEST(BytesFieldTest, ResponsesOfBothKindsAreDecoded) {
  EXPECT_EQ(decode_response(by_protobuf("abc")), "abc");
  EXPECT_EQ(decode_response(""), "");
  // A second payload replaces the first, as in every protobuf parser.
  EXPECT_EQ(decode_response(by_protobuf("abc") + by_protobuf("de")), "de");
  // Also when a status of 0 comes along.
  EXPECT_EQ(decode_response(std::string("\x0a\x00", 2) + by_protobuf("abc")), "abc");
  auto cut = decode_response(by_protobuf("abc").substr(0, 4));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code(), Code::kInternal);
}

TEST(OutFrameTest, HeadAndBodyAreOneFrame) {
  auto frame = make_frame(7, FrameType::kResponse, "ab", "cde");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->head.substr(kHeaderSize) + frame->body, "abcde");
  HeaderBytes bytes;
  std::copy_n(frame->head.begin(), kHeaderSize, bytes.begin());
  const FrameHeader header = decode_header(bytes);
  EXPECT_EQ(header.length, 5u);
  EXPECT_EQ(header.stream, 7u);
  EXPECT_EQ(header.type, static_cast<uint8_t>(FrameType::kResponse));
}

TEST(OutFrameTest, TheLimitHoldsForHeadAndBodyTogether) {
  EXPECT_TRUE(make_frame(1, FrameType::kResponse, "ab", std::string(kMaxPayload - 2, 'x')));
  auto above = make_frame(1, FrameType::kResponse, "ab", std::string(kMaxPayload - 1, 'x'));
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace kata::ttrpc
