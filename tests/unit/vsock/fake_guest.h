#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "base/unique_fd.h"
#include "vsock/packet.h"
#include "vsock/vhost_user_vsock.h"

// A vhost-user front end and a guest driver in one: speaks the control protocol over a socket pair
// and writes the rings by hand into a memfd. Everything runs on the test's thread; run() lets the
// device work until it is idle.
namespace kata::vsock::testing {

inline constexpr uint64_t kCid = 3;

class FakeGuest {
 public:
  static constexpr uint16_t kRingSize = 16;
  static constexpr uint64_t kGuestBase = 0x100000;
  static constexpr uint64_t kUserBase = 0x7f0000000000;
  static constexpr size_t kMemorySize = 4 << 20;

  FakeGuest(asio::io_context& context, VhostUserVsock& device);
  ~FakeGuest();

  void run();
  // The messages QEMU sends from connect to DRIVER_OK; `base` = both rings' start position.
  void start(uint32_t rx_buffer_size = 4096);
  void handshake();
  void send_memory_table();
  void start_rings(uint16_t base);
  // GET_VRING_BASE of both rings.
  void stop_rings();
  void request(uint32_t number, const std::vector<uint8_t>& payload, std::vector<int> fds = {});
  std::vector<uint8_t> reply();
  bool closed_by_device();

  uint8_t* at(uint64_t guest_address) { return memory_ + (guest_address - kGuestBase); }

  struct Descriptor {
    uint64_t address = 0;
    uint32_t length = 0;
    uint16_t flags = 0;
    uint16_t next = 0;
  };
  void set_descriptor(int ring, uint16_t index, Descriptor d);
  // Puts a head into the available ring and kicks.
  void offer(int ring, uint16_t head);
  void set_available_index(int ring, uint16_t index);
  void kick(int ring);
  bool interrupted(int ring);

  // Gives the device `count` receive buffers of the given size.
  void post_receive(uint16_t count, uint32_t size);
  // Sends a packet as one descriptor.
  void send(PacketHeader header, const std::string& data = {});
  struct Received {
    PacketHeader header;
    std::string data;
  };
  // Next packet from the device; its buffer is given back.
  std::optional<Received> receive();
  Received expect(Op op);
  // A header to the host with the usual fields.
  static PacketHeader packet(Op op, uint32_t guest_port, uint32_t host_port);

  uint32_t room = 64 * 1024;  // buf_alloc of packets made by reply_to
  // Answers a packet on its connection.
  PacketHeader reply_to(const PacketHeader& other, Op op) const;

 private:
  struct Ring {
    uint64_t descriptors, available, used, buffers;
    uint16_t next_available = 0;
    uint16_t seen_used = 0;
    UniqueFd kick, call;
  };
  uint16_t load16(uint64_t address);
  void store16(uint64_t address, uint16_t value);

  asio::io_context& context_;
  UniqueFd socket_;
  UniqueFd file_;
  uint8_t* memory_ = nullptr;
  Ring rings_[2];
  uint32_t rx_size_ = 4096;
};

}  // namespace kata::vsock::testing
