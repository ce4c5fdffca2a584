#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// The vhost-user wire format (QEMU docs/interop/vhost-user): a 12-byte little-endian header, a
// small payload, file descriptors beside the header. facts/hypervisors.md section 4.2.
namespace kata::vsock {

enum class Request : uint32_t {
  kGetFeatures = 1,
  kSetFeatures = 2,
  kSetOwner = 3,
  kResetOwner = 4,
  kSetMemTable = 5,
  kSetVringNum = 8,
  kSetVringAddr = 9,
  kSetVringBase = 10,
  kGetVringBase = 11,
  kSetVringKick = 12,
  kSetVringCall = 13,
  kSetVringErr = 14,
  kGetProtocolFeatures = 15,
  kSetProtocolFeatures = 16,
  kGetQueueNum = 17,
  kSetVringEnable = 18,
  kGetConfig = 24,
  kSetConfig = 25,
  kGetMaxMemSlots = 36,
  kAddMemRegion = 37,
  kRemoveMemRegion = 38,
};

struct Message {
  uint32_t request = 0;
  uint32_t flags = 0;
  std::vector<uint8_t> payload;
  std::vector<UniqueFd> fds;

  bool needs_reply() const { return (flags & 8) != 0; }
  // A little-endian integer at an offset; zero beyond the end (callers check the size first).
  uint32_t u32(size_t offset) const;
  uint64_t u64(size_t offset) const;
};

// Collects one message at a time from a non-blocking stream socket. Messages are bounded, so that
// a broken front end cannot make us allocate.
class MessageReader {
 public:
  static constexpr size_t kHeaderSize = 12;
  static constexpr size_t kMaxPayload = 1024;
  static constexpr size_t kMaxFds = 8;

  // Reads what is there. A message when complete, nothing when more has to arrive; an error of
  // class kUnavailable when the front end closed, any other when it does not speak the protocol.
  Result<std::optional<Message>> poll(int socket);

 private:
  // False when the socket has nothing more now.
  Result<bool> receive(int socket, uint8_t* data, size_t size);
  Status begin_payload();

  uint8_t header_[kHeaderSize] = {};
  size_t have_ = 0;
  Message message_;
};

// The bytes of a reply to `request`.
std::vector<uint8_t> encode_reply(uint32_t request, std::span<const uint8_t> payload);
std::vector<uint8_t> encode_reply_u64(uint32_t request, uint64_t value);

}  // namespace kata::vsock
