// Fields of a newer peer must not disturb what we know, whatever their wire type.
#include "proto/wire_text.h"

#include "agent/agent.pb.h"
#include "containerd/task.pb.h"

namespace {

using kata::test::wire;

// Field 2000, in the order of the wire types: varint, fixed64, bytes, group, fixed32.
constexpr std::string_view kUnknown[] = {
    "80 7d 2a",          "81 7d 01 02 03 04 05 06 07 08", "82 7d 03 'abc'", "83 7d 08 01 84 7d",
    "85 7d 01 02 03 04",
};

TEST(UnknownFields, AfterKnownFields) {
  for (std::string_view unknown : kUnknown) {
    grpc::SignalProcessRequest request;
    ASSERT_TRUE(request.ParseFromString(wire("0a 02 'c1' 12 01 'e' 18 0f") + wire(unknown)));
    EXPECT_EQ(request.container_id(), "c1");
    EXPECT_EQ(request.exec_id(), "e");
    EXPECT_EQ(request.signal(), 15U);
  }
}

TEST(UnknownFields, BetweenKnownFields) {
  for (std::string_view unknown : kUnknown) {
    containerd::task::v2::KillRequest request;
    ASSERT_TRUE(request.ParseFromString(wire("0a 02 'c1'") + wire(unknown) + wire("18 09 20 01")));
    EXPECT_EQ(request.id(), "c1");
    EXPECT_EQ(request.signal(), 9U);
    EXPECT_TRUE(request.all());
  }
}

TEST(UnknownFields, InsideNestedMessages) {
  // Storage with unknown field 15 inside CreateSandboxRequest.storages.
  grpc::CreateSandboxRequest request;
  ASSERT_TRUE(request.ParseFromString(wire("1a 08 0a 03 'blk' 7a 01 'x' 2a 02 's1'")));
  ASSERT_EQ(request.storages_size(), 1);
  EXPECT_EQ(request.storages(0).driver(), "blk");
  EXPECT_EQ(request.sandbox_id(), "s1");
}

TEST(UnknownFields, EnumValueOfTheFutureIsKept) {
  containerd::task::v2::StateResponse state;
  ASSERT_TRUE(state.ParseFromString(wire("20 63")));
  EXPECT_EQ(static_cast<int>(state.status()), 99);
}

TEST(BrokenInput, IsRefused) {
  grpc::SignalProcessRequest request;
  EXPECT_FALSE(request.ParseFromString(wire("0a 05 'c1'")));  // cut short
  EXPECT_FALSE(
      request.ParseFromString(wire("18 ff ff ff ff ff ff ff ff ff ff 01")));  // long varint
  EXPECT_FALSE(request.ParseFromString(wire("0a 02 ff fe")));                 // not UTF-8
  EXPECT_FALSE(request.ParseFromString(wire("84 7d")));                       // stray group end
}

}  // namespace
