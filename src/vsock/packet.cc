#include "vsock/packet.h"

#include <algorithm>
#include <cstring>

namespace kata::vsock {

bool read_header(std::span<const iovec> buffers, PacketHeader* header) {
  auto* to = reinterpret_cast<uint8_t*>(header);
  size_t done = 0;
  for (const iovec& part : buffers) {
    size_t n = std::min(part.iov_len, sizeof *header - done);
    std::memcpy(to + done, part.iov_base, n);
    done += n;
  }
  return done == sizeof *header;
}

bool write_header(std::span<const iovec> buffers, const PacketHeader& header) {
  const auto* from = reinterpret_cast<const uint8_t*>(&header);
  size_t done = 0;
  for (const iovec& part : buffers) {
    size_t n = std::min(part.iov_len, sizeof header - done);
    std::memcpy(part.iov_base, from + done, n);
    done += n;
  }
  return done == sizeof header;
}

std::vector<iovec> slice(std::span<const iovec> buffers, size_t offset, size_t limit) {
  std::vector<iovec> parts;
  for (const iovec& part : buffers) {
    if (limit == 0) break;
    if (offset >= part.iov_len) {
      offset -= part.iov_len;
      continue;
    }
    size_t n = std::min(part.iov_len - offset, limit);
    parts.push_back({static_cast<uint8_t*>(part.iov_base) + offset, n});
    offset = 0;
    limit -= n;
  }
  return parts;
}

}  // namespace kata::vsock
