#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// virtio-vsock packets (virtio 1.2 section 5.10.6).
namespace kata::vsock {

inline constexpr uint64_t kHostCid = 2;
inline constexpr uint16_t kStreamType = 1;

enum class Op : uint16_t {
  kRequest = 1,
  kResponse = 2,
  kReset = 3,
  kShutdown = 4,
  kData = 5,
  kCreditUpdate = 6,
  kCreditRequest = 7,
};

// Flags of Op::kShutdown.
inline constexpr uint32_t kNoMoreReceive = 1;
inline constexpr uint32_t kNoMoreSend = 2;

struct [[gnu::packed]] PacketHeader {
  uint64_t src_cid = 0;
  uint64_t dst_cid = 0;
  uint32_t src_port = 0;
  uint32_t dst_port = 0;
  uint32_t length = 0;
  uint16_t type = kStreamType;
  uint16_t op = 0;
  uint32_t flags = 0;
  uint32_t buf_alloc = 0;
  uint32_t fwd_cnt = 0;
};
static_assert(sizeof(PacketHeader) == 44);

// Copies the header out of the first bytes of a chain; false when the chain is shorter.
bool read_header(std::span<const iovec> buffers, PacketHeader* header);
// Copies the header into the first bytes of a chain; false when the chain is shorter.
bool write_header(std::span<const iovec> buffers, const PacketHeader& header);
// The part of a chain from `offset` on, at most `limit` bytes of it.
std::vector<iovec> slice(std::span<const iovec> buffers, size_t offset, size_t limit);

}  // namespace kata::vsock
