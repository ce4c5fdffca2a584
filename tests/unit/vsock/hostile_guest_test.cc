// What a guest may write into its rings, and what must come of it: a stopped device, never more.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsock/fake_guest.h"
#include "vsock/guest_memory.h"
#include "vsock/muxer.h"

namespace kata::vsock::testing {
namespace {

class HostileGuestTest : public ::testing::Test {
 protected:
  HostileGuestTest() {
    device_ = std::move(*VhostUserVsock::create(context_.get_executor(), {kCid, ""}));
    guest_.emplace(context_, *device_);
    guest_->start();
  }
  ~HostileGuestTest() override {
    device_.reset();
    guest_->run();
  }
  // A live device answers a stray packet with a reset.
  bool alive() {
    while (guest_->receive()) {
    }
    guest_->send(guest_->packet(Op::kRequest, 1, 2));
    return guest_->receive().has_value();
  }
  void offer_tx(FakeGuest::Descriptor d) {
    guest_->set_descriptor(1, 0, d);
    guest_->offer(1, 0);
    guest_->kick(1);
  }

  static constexpr uint64_t kBuffer = FakeGuest::kGuestBase + 0x300000;
  asio::io_context context_;
  std::unique_ptr<VhostUserVsock> device_;
  std::optional<FakeGuest> guest_;
};

TEST_F(HostileGuestTest, DeviceWorksBefore) {
  EXPECT_TRUE(alive());
}

TEST_F(HostileGuestTest, DescriptorLoop) {
  guest_->set_descriptor(1, 1, {kBuffer, 64, 1, 0});
  offer_tx({kBuffer, 64, 1, 1});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, HeadOutOfRange) {
  guest_->offer(1, 999);
  guest_->kick(1);
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, NextOutOfRange) {
  offer_tx({kBuffer, 64, 1, 4000});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, AddressOutsideOfMemory) {
  offer_tx({0x10, 64, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, LengthBeyondTheRegion) {
  offer_tx({FakeGuest::kGuestBase + FakeGuest::kMemorySize - 32, 64, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, AddressPlusLengthWraps) {
  offer_tx({UINT64_MAX - 16, 64, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, EmptyBuffer) {
  offer_tx({kBuffer, 0, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, WritableBufferInTheTransmitRing) {
  offer_tx({kBuffer, 64, 2, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, IndirectDescriptor) {
  offer_tx({kBuffer, 64, 4, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, AvailableIndexJumps) {
  guest_->set_available_index(1, FakeGuest::kRingSize + 1);
  guest_->kick(1);
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, PacketShorterThanAHeader) {
  offer_tx({kBuffer, 43, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, PacketShorterThanItClaims) {
  PacketHeader header = guest_->packet(Op::kData, 1, 2);
  header.length = 0xffffffff;
  std::memcpy(guest_->at(kBuffer), &header, sizeof header);
  offer_tx({kBuffer, 100, 0, 0});
  EXPECT_FALSE(alive());
}

TEST_F(HostileGuestTest, HeaderSplitOverManyBuffersIsFine) {
  PacketHeader header = guest_->packet(Op::kRequest, 1, 2);
  std::memcpy(guest_->at(kBuffer), &header, sizeof header);
  guest_->set_descriptor(1, 1, {kBuffer + 3, 1, 1, 2});
  guest_->set_descriptor(1, 2, {kBuffer + 4, 40, 0, 0});
  offer_tx({kBuffer, 3, 1, 1});
  EXPECT_TRUE(guest_->receive());
  EXPECT_TRUE(alive());
}

TEST_F(HostileGuestTest, ForgedSourceIsIgnored) {
  PacketHeader header = guest_->packet(Op::kRequest, 1, 2);
  header.src_cid = 99;
  guest_->send(header);
  EXPECT_FALSE(guest_->receive());
  EXPECT_TRUE(alive());
}

TEST_F(HostileGuestTest, UnknownOperationsAndTypesAreReset) {
  PacketHeader header = guest_->packet(static_cast<Op>(77), 1, 2);
  guest_->send(header);
  guest_->expect(Op::kReset);
  header = guest_->packet(Op::kRequest, 1, 2);
  header.type = 2;
  guest_->send(header);
  guest_->expect(Op::kReset);
  guest_->send(guest_->packet(Op::kReset, 1, 2));
  EXPECT_FALSE(guest_->receive());
}

TEST_F(HostileGuestTest, FloodWithoutTakingAnswersIsBounded) {
  for (uint32_t i = 0; i < 3 * Muxer::kMaxResets; ++i) {
    guest_->send(guest_->packet(Op::kRequest, i, 2));
  }
  size_t answers = 0;
  while (guest_->receive()) ++answers;
  EXPECT_LE(answers, Muxer::kMaxResets + FakeGuest::kRingSize);
  EXPECT_TRUE(alive());
}

TEST_F(HostileGuestTest, StoppedDeviceWorksAgainForANewFrontEnd) {
  guest_->offer(1, 999);
  guest_->kick(1);
  EXPECT_FALSE(alive());
  guest_.emplace(context_, *device_);
  guest_->start();
  EXPECT_TRUE(alive());
}

TEST_F(HostileGuestTest, ReceiveBufferWithoutRoomForAHeader) {
  FakeGuest small(context_, *device_);
  small.start(20);
  small.send(small.packet(Op::kRequest, 1, 2));
  EXPECT_FALSE(small.receive());
}

TEST(HostileFrontEnd, ProtocolErrorsCloseTheConnection) {
  const std::vector<std::pair<uint32_t, std::vector<uint8_t>>> kBad = {
      {5, {255, 0, 0, 0, 0, 0, 0, 0}},  // regions without files
      {8, {9, 0, 0, 0, 16, 0, 0, 0}},   // no such ring
      {8, {0, 0, 0, 0, 17, 0, 0, 0}},   // not a power of two
      {8, {0, 0}},                      // short
      {9, {0, 0, 0, 0, 0, 0, 0, 0}},    // short
      {12, {0, 1, 0, 0, 0, 0, 0, 0}},   // no kick
      {24, {0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0}},
      {77, {0, 0, 0, 0, 0, 0, 0, 0}},
      {5, std::vector<uint8_t>(2000)},
  };
  for (const auto& [number, payload] : kBad) {
    asio::io_context context;
    auto device = std::move(*VhostUserVsock::create(context.get_executor(), {kCid, ""}));
    FakeGuest guest(context, *device);
    guest.request(number, payload);
    EXPECT_TRUE(guest.closed_by_device()) << number;
  }
}

TEST(GuestMemoryTest, RefusesImpossibleRegions) {
  GuestMemory memory;
  auto file = [] {
    UniqueFd fd(memfd_create("m", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(fd.get(), 0x10000), 0);
    return fd;
  };
  EXPECT_TRUE(memory.add({0x1000, 0x8000, 0x7000000, 0}, file()));
  EXPECT_FALSE(memory.add({0x8000, 0x8000, 0x9000000, 0}, file()));     // overlap
  EXPECT_FALSE(memory.add({0x100000, 0x20000, 0x9000000, 0}, file()));  // beyond the file
  EXPECT_FALSE(memory.add({0x100000, 0x8000, 0x9000000, 0x9000}, file()));
  EXPECT_FALSE(memory.add({UINT64_MAX - 1, 0x1000, 0x9000000, 0}, file()));
  EXPECT_FALSE(memory.add({0x100000, 0, 0x9000000, 0}, file()));
  EXPECT_NE(memory.at_guest(0x1000, 0x8000), nullptr);
  EXPECT_EQ(memory.at_guest(0x1000, 0x8001), nullptr);
  EXPECT_EQ(memory.at_guest(0xfff, 1), nullptr);
  EXPECT_EQ(memory.at_guest(0x9000, 1), nullptr);
  EXPECT_EQ(memory.at_guest(0x2000, UINT64_MAX), nullptr);
  EXPECT_NE(memory.at_user(0x7000000, 1), nullptr);
  EXPECT_TRUE(memory.remove({0x1000, 0x8000, 0x7000000, 0}));
  EXPECT_EQ(memory.at_guest(0x1000, 1), nullptr);
}

}  // namespace
}  // namespace kata::vsock::testing
