#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/event.h"
#include "base/task.h"
#include "vsock/connection.h"
#include "vsock/ring_port.h"

namespace kata::vsock {

// The vsock device proper: moves packets between the rings and the host sockets. Payload goes
// straight between guest memory and sockets; what a slow host client leaves is kept per connection
// within its credit. All tables are bounded whatever the guest does: connections by
// kMaxConnections, kept bytes by kMaxBuffered, RST packets owed by kMaxResets. Single event loop;
// held by shared_ptr because socket handlers outlive calls.
class Muxer : public RingUser, public std::enable_shared_from_this<Muxer> {
 public:
  static constexpr size_t kMaxConnections = 1024;
  static constexpr size_t kMaxBuffered = 64 << 20;
  static constexpr size_t kMaxResets = 1024;
  // Host ports given to connections the host opens.
  static constexpr uint32_t kFirstHostPort = 1u << 30;

  // Of kMaxConnections, those the guest cannot take away from the host.
  static constexpr size_t kReservedForHost = 128;

  // Guest connections to port N go to the unix socket `<uds_path>_N`; an empty path refuses them.
  Muxer(asio::any_io_executor executor, uint64_t guest_cid, std::string uds_path)
      : executor_(executor),
        guest_cid_(guest_cid),
        uds_path_(std::move(uds_path)),
        driver_ready_(executor),
        progress_(executor) {}
  // Must be called before anything else; the port outlives the Muxer's use of it.
  void set_port(RingPort* port) { port_ = port; }
  void close();

  // Connects `socket` to a guest port. With `greeting` the socket first gets "OK <host port>\n".
  // kUnavailable: no driver, or nobody listens; kDeadlineExceeded: the guest does not answer.
  static Task<Status> open(std::shared_ptr<Muxer> self, uint32_t port, StreamSocket socket,
                           bool greeting, Clock::duration limit);

  Event& driver_ready() { return driver_ready_; }
  // Set with driver_ready(), or when the device is lost before.
  Event& progress() { return progress_; }
  bool lost() const { return lost_; }
  size_t connections() const { return connections_.size(); }

  void rings_started(bool fresh) override;
  void rings_stopped() override {}
  void ring_kicked(QueueIndex queue) override;
  void device_lost() override;

 private:
  using Ptr = std::shared_ptr<Connection>;

  // Guest to host.
  void pump_tx();
  Status on_packet(const Chain& chain);
  Status on_connection_packet(const Ptr& connection, const PacketHeader& header,
                              const Chain& chain);
  void on_request(const PacketHeader& header);
  void on_response(const Ptr& connection);
  void on_data(const Ptr& connection, const PacketHeader& header, const Chain& chain);
  void on_shutdown(const Ptr& connection, uint32_t flags);

  // Host to guest.
  void pump_rx();
  // Fills a chain with the next packet owed; false when none is.
  Result<bool> fill(RingView& ring, Chain& chain);
  Result<bool> send_next(RingView& ring, const Chain& chain, const Ptr& connection);
  Result<bool> send_data(RingView& ring, const Chain& chain, const Ptr& connection);
  Status put(RingView& ring, const Chain& chain, const PacketHeader& header);
  void again(void (Muxer::*pump)());

  // Host sockets.
  void schedule(const Ptr& connection);
  void watch_hangup(const Ptr& connection);
  void read_later(const Ptr& connection);
  void write_later(const Ptr& connection);
  void after_write(const Ptr& connection);
  void host_ended(const Ptr& connection, bool entirely);

  // Ends a connection. `tell_guest` owes it an RST; kept bytes still reach the host client.
  void drop(const Ptr& connection, bool tell_guest);
  void drop_all();
  void close_socket(const Ptr& connection);
  void owe_reset(ConnectionKey key);
  Result<ConnectionKey> new_key(uint32_t guest_port);

  asio::any_io_executor executor_;
  uint64_t guest_cid_;
  std::string uds_path_;
  Event driver_ready_;
  Event progress_;
  RingPort* port_ = nullptr;
  std::map<ConnectionKey, Ptr> connections_;
  std::deque<Ptr> ready_;  // those with something for the guest, round robin
  std::deque<ConnectionKey> resets_;
  uint32_t next_host_port_ = kFirstHostPort;
  size_t buffered_ = 0;
  size_t draining_ = 0;
  bool lost_ = false;
};

}  // namespace kata::vsock
