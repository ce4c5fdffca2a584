// Guest memory with both rings in it, chosen by the fuzzer, against the vsock device.
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/log.h"
#include "vsock/vhost_user_vsock.h"

namespace {

using kata::UniqueFd;

constexpr uint64_t kGuestBase = 0x10000;
constexpr uint64_t kUserBase = 0x7f0000000000;
constexpr size_t kMemorySize = 64 << 10;
constexpr uint32_t kRingSize = 8;
// Offsets of a ring's parts: descriptors, available, used; the second ring follows.
constexpr uint64_t kPart = 256;

// The front end's half of the control connection.
class FrontEnd {
 public:
  FrontEnd(kata::asio::io_context& loop, UniqueFd socket)
      : loop_(loop), socket_(std::move(socket)) {}

  template <class... T>
  void request(uint32_t number, int fd, T... words) {
    std::vector<uint8_t> bytes;
    append(&bytes, number);
    append(&bytes, uint32_t{1});
    append(&bytes, static_cast<uint32_t>((sizeof(T) + ... + 0)));
    (append(&bytes, words), ...);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0) return;
    loop_.restart();
    loop_.poll();
  }

 private:
  template <class T>
  static void append(std::vector<uint8_t>* bytes, T value) {
    auto* p = reinterpret_cast<const uint8_t*>(&value);
    bytes->insert(bytes->end(), p, p + sizeof value);
  }

  kata::asio::io_context& loop_;
  UniqueFd socket_;
};

void start_ring(FrontEnd* front, uint32_t ring, int kick, int call) {
  uint64_t base = kUserBase + ring * 3 * kPart;
  front->request(8, -1, ring, kRingSize);
  front->request(10, -1, ring, uint32_t{0});
  front->request(9, -1, ring, uint32_t{0}, base, base + 2 * kPart, base + kPart, uint64_t{0});
  front->request(13, call, uint64_t{ring});
  front->request(12, kick, uint64_t{ring});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kata::log::set_level(kata::log::Level::kCritical);
  UniqueFd file(memfd_create("guest", MFD_CLOEXEC));
  if (!file || ftruncate(file.get(), kMemorySize) != 0) return 0;
  if (pwrite(file.get(), data, std::min(size, kMemorySize), 0) < 0) return 0;
  kata::asio::io_context loop(1);
  auto device = kata::vsock::VhostUserVsock::create(loop.get_executor(), {3, ""});
  auto socket = (*device)->make_front_end();
  if (!socket) return 0;
  FrontEnd front(loop, std::move(*socket));
  front.request(5, file.get(), uint32_t{1}, uint32_t{0}, kGuestBase, uint64_t{kMemorySize},
                kUserBase, uint64_t{0});
  UniqueFd kick(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd call(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  for (uint32_t ring = 0; ring < 2; ++ring) start_ring(&front, ring, kick.get(), call.get());
  for (uint32_t ring = 0; ring < 2; ++ring) front.request(18, -1, ring, uint32_t{1});
  uint64_t one = 1;
  if (write(kick.get(), &one, sizeof one) < 0) return 0;
  loop.restart();
  // A guest may keep the device busy for ever; a bounded number of turns is enough.
  for (int turn = 0; turn < 100 && loop.poll_one() > 0; ++turn) {
  }
  device->reset();
  loop.poll();
  return 0;
}
