// Guest to host: packets of the transmit ring.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/log.h"
#include "vsock/muxer.h"

namespace kata::vsock {

namespace {

// Connects to a listening unix socket; these connects never block.
Result<int> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Code::kInvalidArgument, "path too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail_errno("socket");
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    int saved = errno;
    ::close(fd);
    return fail_errno("connect to " + path, saved);
  }
  return fd;
}

}  // namespace

void Muxer::pump_tx() {
  if (port_ == nullptr || !port_->running()) return;
  auto ring = port_->open_ring(kTxQueue);
  if (!ring) return port_->violation(ring.error());
  Chain chain;
  bool kicks_wanted = false;
  bool drained = false;
  ring->want_kicks(false);
  // One round per ring size: other work of the process gets its turn even if the guest never stops.
  for (unsigned budget = Virtqueue::kMaxSize; budget > 0; --budget) {
    auto taken = ring->pop(&chain);
    if (!taken) return port_->violation(taken.error());
    if (!*taken) {
      if (kicks_wanted) {
        drained = true;
        break;
      }
      ring->want_kicks(true);
      kicks_wanted = true;
      continue;
    }
    Status handled = on_packet(chain);
    if (!handled) return port_->violation(handled.error());
    ring->push(chain.head, 0);
  }
  if (ring->publish()) port_->interrupt(kTxQueue);
  if (!drained) again(&Muxer::pump_tx);
  pump_rx();
}

Status Muxer::on_packet(const Chain& chain) {
  PacketHeader header;
  if (!read_header(chain.buffers, &header)) {
    return fail(Code::kInvalidArgument, "guest sent a vsock packet shorter than its header");
  }
  if (header.length > chain.bytes - sizeof header) {
    return fail(Code::kInvalidArgument, "guest sent a vsock packet shorter than it claims");
  }
  // Not for us; virtio 1.2 section 5.10.6.4.1 has such packets dropped.
  if (header.src_cid != guest_cid_ || header.dst_cid != kHostCid) return {};
  auto op = static_cast<Op>(header.op);
  ConnectionKey key{header.src_port, header.dst_port};
  auto found = connections_.find(key);
  if (header.type != kStreamType) {
    if (op != Op::kReset) owe_reset(key);
    return {};
  }
  if (found == connections_.end()) {
    if (op == Op::kRequest) {
      on_request(header);
    } else if (op != Op::kReset) {
      owe_reset(key);
    }
    return {};
  }
  Ptr connection = found->second;
  return on_connection_packet(connection, header, chain);
}

Status Muxer::on_connection_packet(const Ptr& connection, const PacketHeader& header,
                                   const Chain& chain) {
  connection->set_peer_credit(header);
  bool established = connection->state() == Connection::State::kEstablished;
  switch (static_cast<Op>(header.op)) {
    case Op::kReset:
      drop(connection, false);
      return {};
    case Op::kResponse:
      if (established || (connection->pending & kPendingRequest) != 0) {
        drop(connection, true);
      } else {
        on_response(connection);
      }
      return {};
    case Op::kShutdown:
      on_shutdown(connection, header.flags);
      return {};
    case Op::kData:
      if (!established) {
        drop(connection, true);
      } else {
        on_data(connection, header, chain);
      }
      return {};
    case Op::kCreditRequest:
      connection->pending |= kPendingCreditUpdate;
      schedule(connection);
      return {};
    case Op::kCreditUpdate:
      schedule(connection);
      return {};
    default:  // a second REQUEST, or nothing we know
      drop(connection, true);
      return {};
  }
}

void Muxer::on_request(const PacketHeader& header) {
  ConnectionKey key{header.src_port, header.dst_port};
  if (uds_path_.empty() || connections_.size() >= kMaxConnections - kReservedForHost) {
    return owe_reset(key);
  }
  auto fd = connect_unix(uds_path_ + "_" + std::to_string(header.dst_port));
  if (!fd) {
    log::debug("vsock: guest connection refused", {{"reason", fd.error().message()}});
    return owe_reset(key);
  }
  StreamSocket socket(executor_);
  boost::system::error_code failed;
  socket.assign(asio::local::stream_protocol(), *fd, failed);
  if (failed) {
    ::close(*fd);
    return owe_reset(key);
  }
  auto connection =
      std::make_shared<Connection>(key, std::move(socket), Connection::State::kEstablished);
  connection->set_peer_credit(header);
  connection->pending = kPendingResponse;
  connections_.emplace(key, connection);
  schedule(connection);
  read_later(connection);
}

void Muxer::on_response(const Ptr& connection) {
  connection->establish();
  if (connection->wants_greeting) {
    // A fresh socket has room for these few bytes; a failure shows at the next read.
    std::string text = "OK " + std::to_string(connection->key().host_port) + "\n";
    [[maybe_unused]] ssize_t ignored = send(connection->socket().native_handle(), text.data(),
                                            text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  read_later(connection);
}

void Muxer::on_data(const Ptr& connection, const PacketHeader& header, const Chain& chain) {
  if (connection->guest_sends_no_more) return drop(connection, true);
  size_t before = connection->buffered();
  auto payload = slice(chain.buffers, sizeof header, header.length);
  if (!connection->accept(payload, header.length)) {
    log::warn("vsock: guest sent more than its credit",
              {{"port", std::to_string(connection->key().guest_port)}});
    return drop(connection, true);
  }
  buffered_ += connection->buffered() - before;
  if (buffered_ > kMaxBuffered) {
    log::warn("vsock: too many bytes wait for host clients; connection reset");
    connection->host_gone = true;
    return drop(connection, true);
  }
  after_write(connection);
}

void Muxer::on_shutdown(const Ptr& connection, uint32_t flags) {
  Connection& c = *connection;
  if ((flags & kNoMoreReceive) != 0) c.guest_takes_no_more = true;
  if ((flags & kNoMoreSend) != 0) c.guest_sends_no_more = true;
  if (c.guest_takes_no_more && c.guest_sends_no_more) return drop(connection, true);
  if (c.guest_takes_no_more) ::shutdown(c.socket().native_handle(), SHUT_RD);
  if (c.guest_sends_no_more && c.buffered() == 0) {
    ::shutdown(c.socket().native_handle(), SHUT_WR);
  }
}

}  // namespace kata::vsock
