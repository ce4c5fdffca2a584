#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/event.h"
#include "base/task.h"
#include "vsock/packet.h"

namespace kata::vsock {

using StreamSocket = asio::local::stream_protocol::socket;

struct ConnectionKey {
  uint32_t guest_port = 0;
  uint32_t host_port = 0;
  auto operator<=>(const ConnectionKey&) const = default;
};

// What a connection has to tell the guest next; a set of bits, so that a guest that does not take
// packets cannot make a queue grow.
enum Pending : unsigned {
  kPendingRequest = 1,
  kPendingResponse = 2,
  kPendingCreditUpdate = 4,
  kPendingCreditRequest = 8,
  kPendingShutdown = 16,
};

// One stream between a host socket and a guest port: its credit and the bytes the host side has
// not taken yet (at most kBufferSize, and never more than the guest was given credit for). Owns the
// host socket. The Muxer drives it; it starts no work of its own.
class Connection {
 public:
  // Room we promise the guest (buf_alloc).
  static constexpr uint32_t kBufferSize = 256 * 1024;
  enum class State { kConnecting, kEstablished };
  // What the host socket can do for us now.
  enum class Reading { kIdle, kWaiting, kReady, kEnded };

  Connection(ConnectionKey key, StreamSocket socket, State state)
      : key_(key), socket_(std::move(socket)), state_(state), settled_(socket_.get_executor()) {}
  Connection(const Connection&) = delete;

  ConnectionKey key() const { return key_; }
  StreamSocket& socket() { return socket_; }

  // Takes over the guest's view of its buffer, which comes in every packet.
  void set_peer_credit(const PacketHeader& header);
  uint32_t credit() const;
  // Header of a packet to the guest; the fields it carries count as told.
  PacketHeader header(Op op, uint64_t guest_cid, uint32_t length, uint32_t flags);

  // Guest to host: passes the bytes on or keeps them. False when the guest exceeded its credit.
  bool accept(std::span<const iovec> payload, size_t size);
  // Moves kept bytes to the host socket as far as it takes them.
  void flush();
  size_t buffered() const { return buffer_.size() - buffer_start_; }
  bool needs_credit_update() const { return forwarded_ - told_forwarded_ >= kBufferSize / 4; }
  // Host to guest: bytes read into the buffers; 0 = end of stream, negative = -errno.
  ssize_t read_host(std::span<const iovec> buffers);

  State state() const { return state_; }
  // Becomes set when the guest answered a REQUEST, or the connection ended before.
  Event& settled() { return settled_; }
  void establish() {
    state_ = State::kEstablished;
    settled_.set();
  }

  unsigned pending = 0;
  Reading reading = Reading::kIdle;
  bool queued = false;         // in the Muxer's ready list
  bool waiting_write = false;  // an async_wait for room in the host socket is under way
  bool asked_for_credit = false;
  bool dead = false;            // no longer in the Muxer's table
  bool wants_greeting = false;  // the host client waits for "OK <port>"
  bool guest_sends_no_more = false;
  bool guest_takes_no_more = false;
  bool host_gone = false;       // the host side took its socket away
  uint32_t shutdown_flags = 0;  // told to the guest with kPendingShutdown

 private:
  void keep(std::span<const iovec> payload, size_t skip);

  ConnectionKey key_;
  StreamSocket socket_;
  State state_;
  Event settled_;
  // Counters wrap (virtio 1.2 section 5.10.6.3).
  uint32_t sent_ = 0;
  uint32_t peer_room_ = 0;
  uint32_t peer_forwarded_ = 0;
  uint32_t received_ = 0;
  uint32_t forwarded_ = 0;
  uint32_t told_forwarded_ = 0;
  std::string buffer_;
  size_t buffer_start_ = 0;
};

}  // namespace kata::vsock
