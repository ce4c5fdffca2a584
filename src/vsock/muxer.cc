#include "vsock/muxer.h"

#include <poll.h>
#include <sys/socket.h>

#include "base/log.h"

namespace kata::vsock {

namespace {

// Dropped connections whose last bytes still wait for a slow host client.
constexpr size_t kMaxDraining = 64;

std::unexpected<Error> not_ready() {
  return fail(Code::kUnavailable, "the guest's vsock driver is not up");
}

}  // namespace

void Muxer::close() {
  device_lost();
  port_ = nullptr;
}

Task<Status> Muxer::open(std::shared_ptr<Muxer> self, uint32_t port, StreamSocket socket,
                         bool greeting, Clock::duration limit) {
  if (self->port_ == nullptr || !self->port_->running()) co_return not_ready();
  CO_TRY(ConnectionKey key, self->new_key(port));
  auto connection =
      std::make_shared<Connection>(key, std::move(socket), Connection::State::kConnecting);
  connection->socket().native_non_blocking(true);
  connection->wants_greeting = greeting;
  connection->pending = kPendingRequest;
  self->connections_.emplace(key, connection);
  self->schedule(connection);
  self->pump_rx();
  bool answered = co_await connection->settled().wait_for(limit);
  if (!answered) {
    self->drop(connection, true);
    co_return fail(Code::kDeadlineExceeded,
                   "the guest does not answer on vsock port " + std::to_string(port));
  }
  if (connection->state() != Connection::State::kEstablished) {
    co_return fail(Code::kUnavailable,
                   "nobody listens on vsock port " + std::to_string(port) + " in the guest");
  }
  co_return Status();
}

Result<ConnectionKey> Muxer::new_key(uint32_t guest_port) {
  if (connections_.size() >= kMaxConnections) {
    return fail(Code::kResourceExhausted, "too many vsock connections");
  }
  for (;;) {
    ConnectionKey key{guest_port, next_host_port_++};
    if (next_host_port_ == 0 || next_host_port_ == UINT32_MAX) next_host_port_ = kFirstHostPort;
    if (!connections_.contains(key)) return key;
  }
}

void Muxer::rings_started(bool fresh) {
  if (fresh) drop_all();
  lost_ = false;
  driver_ready_.set();
  progress_.set();
  pump_tx();
}

void Muxer::ring_kicked(QueueIndex queue) {
  if (queue == kTxQueue) {
    pump_tx();
  } else {
    pump_rx();
  }
}

void Muxer::device_lost() {
  lost_ = true;
  progress_.set();
  drop_all();
}

void Muxer::drop_all() {
  auto all = std::exchange(connections_, {});
  for (auto& [key, connection] : all) drop(connection, false);
  ready_.clear();
  resets_.clear();
}

void Muxer::drop(const Ptr& connection, bool tell_guest) {
  if (connection->dead) return;
  connection->dead = true;
  connections_.erase(connection->key());
  // A guest without receive buffers must not make the list grow by opening and closing.
  if (connection->queued) std::erase(ready_, connection);
  if (tell_guest) owe_reset(connection->key());
  connection->settled().set();
  if (connection->buffered() > 0 && !connection->host_gone && draining_ < kMaxDraining) {
    ++draining_;
    write_later(connection);
    return;
  }
  close_socket(connection);
}

void Muxer::close_socket(const Ptr& connection) {
  buffered_ -= connection->buffered();
  boost::system::error_code ignored;
  connection->socket().close(ignored);
}

void Muxer::owe_reset(ConnectionKey key) {
  // Only a guest that sends without taking answers gets here: it loses the answers.
  if (resets_.size() < kMaxResets) resets_.push_back(key);
}

void Muxer::schedule(const Ptr& connection) {
  Connection& c = *connection;
  if (c.dead || c.queued) return;
  bool readable = c.reading == Connection::Reading::kReady && !c.guest_takes_no_more &&
                  c.state() == Connection::State::kEstablished;
  if (readable && c.credit() == 0) {
    readable = false;
    if (!c.asked_for_credit) c.pending |= kPendingCreditRequest;
    c.asked_for_credit = true;
  }
  if (!readable && c.pending == 0) return;
  c.queued = true;
  ready_.push_back(connection);
}

void Muxer::read_later(const Ptr& connection) {
  connection->reading = Connection::Reading::kWaiting;
  connection->socket().async_wait(StreamSocket::wait_read, [weak = weak_from_this(), connection](
                                                               boost::system::error_code failed) {
    auto self = weak.lock();
    if (failed || self == nullptr || connection->dead) return;
    connection->reading = Connection::Reading::kReady;
    self->schedule(connection);
    self->pump_rx();
  });
}

void Muxer::write_later(const Ptr& connection) {
  if (connection->waiting_write) return;
  connection->waiting_write = true;
  connection->socket().async_wait(StreamSocket::wait_write, [weak = weak_from_this(), connection](
                                                                boost::system::error_code failed) {
    connection->waiting_write = false;
    auto self = weak.lock();
    if (failed || self == nullptr) return;
    size_t before = connection->buffered();
    connection->flush();
    self->buffered_ -= before - connection->buffered();
    self->after_write(connection);
    self->pump_rx();
  });
}

void Muxer::after_write(const Ptr& connection) {
  Connection& c = *connection;
  if (c.buffered() > 0) return write_later(connection);
  if (c.dead) {
    --draining_;
    return close_socket(connection);
  }
  if (c.host_gone) return host_ended(connection, true);
  if (c.guest_sends_no_more) ::shutdown(c.socket().native_handle(), SHUT_WR);
  if (c.needs_credit_update()) c.pending |= kPendingCreditUpdate;
  schedule(connection);
}

void Muxer::host_ended(const Ptr& connection, bool entirely) {
  Connection& c = *connection;
  c.reading = Connection::Reading::kEnded;
  if (entirely) c.host_gone = true;
  uint32_t flags = entirely ? kNoMoreReceive | kNoMoreSend : kNoMoreSend;
  if ((c.shutdown_flags | flags) != c.shutdown_flags) {
    c.shutdown_flags |= flags;
    c.pending |= kPendingShutdown;
  }
  schedule(connection);
  if (!entirely) watch_hangup(connection);
}

void Muxer::watch_hangup(const Ptr& connection) {
  connection->socket().async_wait(StreamSocket::wait_error, [weak = weak_from_this(), connection](
                                                                boost::system::error_code failed) {
    auto self = weak.lock();
    if (failed || self == nullptr || connection->dead || connection->host_gone) return;
    self->host_ended(connection, true);
    self->pump_rx();
  });
}

void Muxer::again(void (Muxer::*pump)()) {
  asio::post(executor_, [weak = weak_from_this(), pump] {
    if (auto self = weak.lock()) (self.get()->*pump)();
  });
}

}  // namespace kata::vsock
