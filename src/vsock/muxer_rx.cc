// Host to guest: packets of the receive ring.
#include <poll.h>

#include <algorithm>

#include "base/log.h"
#include "vsock/muxer.h"

namespace kata::vsock {

namespace {

// Linux takes no packet above this (VIRTIO_VSOCK_MAX_PKT_BUF_SIZE).
constexpr size_t kMaxPayload = 64 * 1024;

bool hung_up(int socket) {
  pollfd state{socket, 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

void Muxer::pump_rx() {
  if (port_ == nullptr || !port_->running()) return;
  if (resets_.empty() && ready_.empty()) return;
  auto ring = port_->open_ring(kRxQueue);
  if (!ring) return port_->violation(ring.error());
  Chain chain;
  bool kicks_wanted = false;
  bool starved = false;
  ring->want_kicks(false);
  unsigned budget = Virtqueue::kMaxSize;
  for (; budget > 0 && !(resets_.empty() && ready_.empty()); --budget) {
    auto taken = ring->pop(&chain);
    if (!taken) return port_->violation(taken.error());
    if (!*taken) {
      starved = kicks_wanted;
      if (starved) break;
      // Only now do we care to hear of new buffers; look once more after asking.
      ring->want_kicks(true);
      kicks_wanted = true;
      continue;
    }
    auto filled = fill(*ring, chain);
    if (!filled) return port_->violation(filled.error());
    if (!*filled) ring->undo_pop();
  }
  if (ring->publish()) port_->interrupt(kRxQueue);
  if (budget == 0 && !starved) again(&Muxer::pump_rx);
}

Result<bool> Muxer::fill(RingView& ring, Chain& chain) {
  for (;;) {
    if (!resets_.empty()) {
      PacketHeader header;
      header.src_cid = kHostCid;
      header.dst_cid = guest_cid_;
      header.src_port = resets_.front().host_port;
      header.dst_port = resets_.front().guest_port;
      header.op = static_cast<uint16_t>(Op::kReset);
      resets_.pop_front();
      TRY_STATUS(put(ring, chain, header));
      return true;
    }
    if (ready_.empty()) return false;
    Ptr connection = std::move(ready_.front());
    ready_.pop_front();
    connection->queued = false;
    if (connection->dead) continue;
    TRY(bool sent, send_next(ring, chain, connection));
    schedule(connection);
    if (sent) return true;
  }
}

Status Muxer::put(RingView& ring, const Chain& chain, const PacketHeader& header) {
  if (!write_header(chain.buffers, header)) {
    return fail(Code::kInvalidArgument, "guest offered a vsock buffer shorter than a header");
  }
  ring.push(chain.head, static_cast<uint32_t>(sizeof header + header.length));
  return {};
}

Result<bool> Muxer::send_next(RingView& ring, const Chain& chain, const Ptr& connection) {
  Connection& c = *connection;
  static constexpr std::pair<Pending, Op> kFirst[] = {{kPendingRequest, Op::kRequest},
                                                      {kPendingResponse, Op::kResponse}};
  static constexpr std::pair<Pending, Op> kLast[] = {{kPendingCreditRequest, Op::kCreditRequest},
                                                     {kPendingCreditUpdate, Op::kCreditUpdate},
                                                     {kPendingShutdown, Op::kShutdown}};
  for (auto [bit, op] : kFirst) {
    if ((c.pending & bit) == 0) continue;
    c.pending &= ~unsigned{bit};
    TRY_STATUS(put(ring, chain, c.header(op, guest_cid_, 0, 0)));
    return true;
  }
  TRY(bool sent, send_data(ring, chain, connection));
  if (sent) return true;
  for (auto [bit, op] : kLast) {
    if ((c.pending & bit) == 0) continue;
    c.pending &= ~unsigned{bit};
    uint32_t flags = op == Op::kShutdown ? c.shutdown_flags : 0;
    TRY_STATUS(put(ring, chain, c.header(op, guest_cid_, 0, flags)));
    return true;
  }
  return false;
}

Result<bool> Muxer::send_data(RingView& ring, const Chain& chain, const Ptr& connection) {
  Connection& c = *connection;
  if (c.reading != Connection::Reading::kReady || c.guest_takes_no_more || c.credit() == 0) {
    return false;
  }
  if (chain.bytes <= sizeof(PacketHeader)) {
    return fail(Code::kInvalidArgument, "guest offered a vsock buffer without room for data");
  }
  size_t limit = std::min<size_t>(c.credit(), kMaxPayload);
  ssize_t got = c.read_host(slice(chain.buffers, sizeof(PacketHeader), limit));
  if (got > 0) {
    c.pending &= ~unsigned{kPendingCreditUpdate};
    TRY_STATUS(put(ring, chain, c.header(Op::kData, guest_cid_, static_cast<uint32_t>(got), 0)));
    return true;
  }
  if (got == -EAGAIN || got == -EINTR) {
    read_later(connection);
  } else {
    host_ended(connection, got < 0 || hung_up(c.socket().native_handle()));
  }
  return false;
}

}  // namespace kata::vsock
