// Bytes through the rings of our vhost-user-vsock device, with the fake guest of the unit tests.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vsock/fake_guest.h"
#include "vsock/muxer.h"

namespace kata::vsock::testing {
namespace {

constexpr size_t kChunk = 32 * 1024;

// A device, its guest, and one connection between them that a host client asked for.
class Channel {
 public:
  Channel() {
    char folder[] = "/tmp/kata-bench-XXXXXX";
    folder_ = mkdtemp(folder);
    device_ = std::move(*VhostUserVsock::create(context_.get_executor(), {kCid, folder_ + "/v"}));
    guest_.emplace(context_, *device_);
    guest_->start();
    host_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder_ + "/v").copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(host_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      panic("connect to the device");
    }
    send_to_guest("CONNECT 1024\n");
    peer_ = guest_->expect(Op::kRequest).header;
    guest_->send(guest_->reply_to(peer_, Op::kResponse));
    guest_->run();
    receive_on_host();
  }
  ~Channel() {
    host_.reset();
    device_.reset();
    guest_->run();
    rmdir(folder_.c_str());
  }

  void send_to_guest(std::string_view data) {
    if (send(host_.get(), data.data(), data.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(data.size())) {
      panic("the host socket is full");
    }
    guest_->run();
  }
  // Takes all packets and tells the device that there is room again.
  size_t receive_on_guest() {
    size_t got = 0;
    while (auto packet = guest_->receive()) got += packet->data.size();
    taken_ += static_cast<uint32_t>(got);
    auto update = guest_->reply_to(peer_, Op::kCreditUpdate);
    update.fwd_cnt = taken_;
    guest_->send(update);
    guest_->run();
    return got;
  }

  void send_to_host(const std::string& data) {
    guest_->send(guest_->reply_to(peer_, Op::kData), data);
    guest_->run();
  }
  size_t receive_on_host() {
    size_t total = 0;
    for (ssize_t got; (got = recv(host_.get(), buffer_.data(), buffer_.size(), 0)) > 0;) {
      total += static_cast<size_t>(got);
    }
    guest_->run();
    while (guest_->receive()) continue;  // credit updates
    return total;
  }

 private:
  asio::io_context context_;
  std::string folder_;
  std::string buffer_ = std::string(256 * 1024, 0);
  std::unique_ptr<VhostUserVsock> device_;
  std::optional<FakeGuest> guest_;
  UniqueFd host_;
  PacketHeader peer_;
  uint32_t taken_ = 0;
};

void vsock_guest_to_host(benchmark::State& state) {
  Channel channel;
  const std::string data(kChunk, 'x');
  for (auto _ : state) {
    channel.send_to_host(data);
    if (channel.receive_on_host() != kChunk) return state.SkipWithError("bytes are missing");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunk));
}
BENCHMARK(vsock_guest_to_host);

void vsock_host_to_guest(benchmark::State& state) {
  Channel channel;
  const std::string data(kChunk, 'x');
  for (auto _ : state) {
    channel.send_to_guest(data);
    size_t got = 0;
    for (int turn = 0; turn < 8 && got < kChunk; ++turn) got += channel.receive_on_guest();
    if (got != kChunk) return state.SkipWithError("bytes are missing");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kChunk));
}
BENCHMARK(vsock_host_to_guest);

}  // namespace
}  // namespace kata::vsock::testing
