#include "vsock/connection.h"

#include <sys/socket.h>

namespace kata::vsock {

namespace {

ssize_t send_parts(int socket, std::span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent >= 0 ? sent : -errno;
}

}  // namespace

void Connection::set_peer_credit(const PacketHeader& header) {
  peer_room_ = header.buf_alloc;
  peer_forwarded_ = header.fwd_cnt;
  if (credit() > 0) asked_for_credit = false;
}

uint32_t Connection::credit() const {
  uint32_t in_flight = sent_ - peer_forwarded_;
  return in_flight >= peer_room_ ? 0 : peer_room_ - in_flight;
}

PacketHeader Connection::header(Op op, uint64_t guest_cid, uint32_t length, uint32_t flags) {
  PacketHeader header;
  header.src_cid = kHostCid;
  header.dst_cid = guest_cid;
  header.src_port = key_.host_port;
  header.dst_port = key_.guest_port;
  header.length = length;
  header.op = static_cast<uint16_t>(op);
  header.flags = flags;
  header.buf_alloc = kBufferSize;
  header.fwd_cnt = forwarded_;
  told_forwarded_ = forwarded_;
  sent_ += length;
  return header;
}

bool Connection::accept(std::span<const iovec> payload, size_t size) {
  uint32_t unconsumed = received_ - forwarded_;
  if (size > kBufferSize - unconsumed) return false;
  received_ += static_cast<uint32_t>(size);
  size_t done = 0;
  if (host_gone) {
    forwarded_ = received_;
    return true;
  }
  if (buffered() == 0) {
    ssize_t sent = send_parts(socket_.native_handle(), payload);
    if (sent < 0 && sent != -EAGAIN && sent != -EINTR) host_gone = true;
    if (host_gone) {
      forwarded_ = received_;
      return true;
    }
    if (sent > 0) done = static_cast<size_t>(sent);
  }
  forwarded_ += static_cast<uint32_t>(done);
  if (done < size) keep(payload, done);
  return true;
}

void Connection::keep(std::span<const iovec> payload, size_t skip) {
  if (buffer_start_ > 0) {
    buffer_.erase(0, buffer_start_);
    buffer_start_ = 0;
  }
  for (const iovec& part : slice(payload, skip, SIZE_MAX)) {
    buffer_.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
}

void Connection::flush() {
  while (buffered() > 0 && !host_gone) {
    iovec part{buffer_.data() + buffer_start_, buffered()};
    ssize_t sent = send_parts(socket_.native_handle(), std::span(&part, 1));
    if (sent == -EAGAIN || sent == -EINTR) return;
    if (sent < 0) {
      host_gone = true;
      break;
    }
    buffer_start_ += static_cast<size_t>(sent);
    forwarded_ += static_cast<uint32_t>(sent);
  }
  if (host_gone) forwarded_ = received_;
  // Idle connections keep no memory.
  buffer_ = std::string();
  buffer_start_ = 0;
}

ssize_t Connection::read_host(std::span<const iovec> buffers) {
  ssize_t got = readv(socket_.native_handle(), buffers.data(), static_cast<int>(buffers.size()));
  return got >= 0 ? got : -errno;
}

}  // namespace kata::vsock
