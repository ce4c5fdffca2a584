// A guest and host clients that do random things, mostly legal ones: whatever comes, the device
// neither crashes (run under the asan preset) nor grows nor stops serving the next front end.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <random>

#include "base/log.h"
#include "vsock/fake_guest.h"
#include "vsock/muxer.h"

namespace kata::vsock::testing {
namespace {

class RandomGuestTest : public ::testing::TestWithParam<unsigned> {
 protected:
  RandomGuestTest() : random_(GetParam()) {
    log::set_level(log::Level::kCritical);
    char folder[] = "/tmp/vsock-random-XXXXXX";
    folder_ = mkdtemp(folder);
    device_ = std::move(*VhostUserVsock::create(context_.get_executor(), {kCid, folder_ + "/v"}));
    listener_ = unix_socket();
    sockaddr_un a = address("/v_2");
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(listen(listener_.get(), 64), 0);
    guest_.emplace(context_, *device_);
    guest_->start();
  }
  ~RandomGuestTest() override {
    log::set_level(log::Level::kInfo);
    clients_.clear();
    device_.reset();
    guest_->run();
    unlink((folder_ + "/v_2").c_str());
    rmdir(folder_.c_str());
  }

  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  static UniqueFd unix_socket() {
    return UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  sockaddr_un address(const std::string& name) const {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    (folder_ + name).copy(a.sun_path, sizeof a.sun_path - 1);
    return a;
  }

  void host_step() {
    unsigned what = pick(6);
    if (what == 0 && clients_.size() < 20) {
      UniqueFd fd = unix_socket();
      sockaddr_un a = address("/v");
      if (connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) == 0) {
        std::string text = pick(8) == 0 ? "CONN" : "CONNECT " + std::to_string(pick(3)) + "\n";
        [[maybe_unused]] auto n = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
        clients_.push_back(std::move(fd));
      }
    } else if (what == 1) {
      UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) clients_.push_back(std::move(fd));
    } else if (!clients_.empty()) {
      auto it = clients_.begin() + pick(static_cast<unsigned>(clients_.size()));
      std::string text(1 + pick(9000), 'h');
      if (what == 2) clients_.erase(it);
      if (what == 3) shutdown(it->get(), SHUT_WR);
      if (what == 4) {
        [[maybe_unused]] auto n = ::send(it->get(), text.data(), text.size(), MSG_NOSIGNAL);
      }
      if (what == 5) {
        [[maybe_unused]] auto n = recv(it->get(), text.data(), text.size(), MSG_DONTWAIT);
      }
    }
    guest_->run();
  }

  void guest_step() {
    PacketHeader header = FakeGuest::packet(static_cast<Op>(pick(9)), pick(4), pick(4));
    if (!seen_.empty() && pick(4) != 0) {
      header = guest_->reply_to(seen_[pick(static_cast<unsigned>(seen_.size()))],
                                static_cast<Op>(1 + pick(7)));
    }
    header.flags = pick(4);
    header.buf_alloc = pick(10) == 0 ? static_cast<uint32_t>(random_()) : 65536;
    header.fwd_cnt = static_cast<uint32_t>(pick(3) == 0 ? random_() : pick(100000));
    guest_->send(header, pick(2) == 0 ? std::string() : std::string(pick(60000), 'g'));
  }

  void nasty_step() {
    for (int ring = 0; ring < 2; ++ring) {
      guest_->set_descriptor(ring, static_cast<uint16_t>(pick(FakeGuest::kRingSize)),
                             {FakeGuest::kGuestBase + pick(5 << 20), pick(200000),
                              static_cast<uint16_t>(pick(5)), static_cast<uint16_t>(pick(20))});
    }
    guest_->offer(static_cast<int>(pick(2)), static_cast<uint16_t>(pick(18)));
    guest_->kick(static_cast<int>(pick(2)));
  }

  void take_packets() {
    // FakeGuest checks what it takes; after a nasty step its own view of the buffers is wrong.
    for (int i = 0; i < 20; ++i) {
      auto packet = guest_->receive();
      if (!packet) return;
      if (seen_.size() < 32) {
        seen_.push_back(packet->header);
      } else {
        seen_[pick(32)] = packet->header;
      }
    }
  }

  std::mt19937 random_;
  asio::io_context context_;
  std::string folder_;
  std::unique_ptr<VhostUserVsock> device_;
  UniqueFd listener_;
  std::optional<FakeGuest> guest_;
  std::vector<UniqueFd> clients_;
  std::vector<PacketHeader> seen_;
};

TEST_P(RandomGuestTest, SurvivesLegalAndIllegalPackets) {
  for (int i = 0; i < 3000; ++i) {
    pick(2) == 0 ? host_step() : guest_step();
    if (pick(3) == 0) take_packets();
    ASSERT_LE(device_->connections(), Muxer::kMaxConnections);
  }
}

TEST_P(RandomGuestTest, SurvivesBrokenRings) {
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 20; ++i) pick(2) == 0 ? host_step() : guest_step();
    for (int i = 0; i < 1 + static_cast<int>(pick(4)); ++i) nasty_step();
    for (int i = 0; i < 5; ++i) host_step();
    guest_.emplace(context_, *device_);
    guest_->start();
    guest_->send(FakeGuest::packet(Op::kRequest, 7, 9));
    ASSERT_TRUE(guest_->receive());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGuestTest, ::testing::Range(1u, 9u));

}  // namespace
}  // namespace kata::vsock::testing
