#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/task.h"
#include "base/unique_fd.h"
#include "vsock/guest_memory.h"
#include "vsock/ring_port.h"
#include "vsock/vhost_user_message.h"
#include "vsock/virtqueue.h"

namespace kata::vsock {

// The back-end half of vhost-user: answers the front end (QEMU), keeps the memory table, the rings
// and their eventfds. Owns the control connection and all passed descriptors. Single event loop;
// held by shared_ptr because its handlers outlive a call. A front end that breaks the protocol
// loses the connection; a guest that breaks the rings is stopped until the front end reconnects.
class VhostUserDevice : public RingPort, public std::enable_shared_from_this<VhostUserDevice> {
 public:
  using Socket = asio::local::stream_protocol::socket;

  VhostUserDevice(uint64_t guest_cid, RingUser* user) : guest_cid_(guest_cid), user_(user) {}

  // Serves one front end until it closes. The user is told of the loss at the end.
  static Task<> serve(std::shared_ptr<VhostUserDevice> self, Socket socket);
  // Ends serve(); the user hears nothing any more.
  void close();

  bool running() const override { return running_; }
  Result<RingView> open_ring(QueueIndex queue) override;
  void interrupt(QueueIndex queue) override;
  void violation(const Error& error) override;

 private:
  using Kick = asio::posix::stream_descriptor;
  struct Ring {
    Virtqueue queue;
    std::shared_ptr<Kick> kick;
    UniqueFd call;
    bool addressed = false;
    bool enabled = false;
    uint16_t stopped_at = 0;
  };

  Task<Status> serve_messages(unsigned session);
  // Handles one message; the answer's payload, if it has one.
  Result<std::optional<std::vector<uint8_t>>> handle(Message& message);
  Status handle_memory(Message& message);
  Status handle_ring(Message& message);
  Status set_mem_table(Message& message);
  Status change_region(Message& message, bool add);
  Status set_kick(Ring& ring, QueueIndex index, Message& message);
  Result<std::vector<uint8_t>> get_config(const Message& message) const;
  Result<std::vector<uint8_t>> stop_ring(const Message& message);
  Result<QueueIndex> ring_index(uint64_t value) const;
  Status reply(const Message& message, const std::vector<uint8_t>& payload);
  void wait_for_kick(QueueIndex index, std::shared_ptr<Kick> kick);
  void update_running();
  void forget_front_end();

  uint64_t guest_cid_;
  RingUser* user_;  // nullptr once closed
  std::optional<Socket> socket_;
  MessageReader reader_;
  GuestMemory memory_;
  std::array<Ring, kQueueCount> rings_;
  uint64_t protocol_features_ = 0;
  unsigned session_ = 0;
  bool running_ = false;
  bool broken_ = false;
};

}  // namespace kata::vsock
