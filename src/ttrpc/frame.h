#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/task.h"

// ttrpc framing (facts/shim-v2.md section 6.1): a 10-byte big-endian header, then the payload.
namespace kata::ttrpc {

// Any connected stream socket: AF_UNIX on the host, AF_VSOCK in a guest.
using Stream = asio::generic::stream_protocol::socket;

inline constexpr size_t kHeaderSize = 10;
inline constexpr uint32_t kMaxPayload = 4 << 20;

enum class FrameType : uint8_t { kRequest = 1, kResponse = 2, kData = 3 };

inline constexpr uint8_t kFlagRemoteClosed = 0x01;
inline constexpr uint8_t kFlagRemoteOpen = 0x02;
inline constexpr uint8_t kFlagNoData = 0x04;

struct FrameHeader {
  uint32_t length = 0;
  uint32_t stream = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
};

using HeaderBytes = std::array<uint8_t, kHeaderSize>;
FrameHeader decode_header(const HeaderBytes& bytes);
HeaderBytes encode_header(const FrameHeader& header);

struct Frame {
  FrameHeader header;
  std::string payload;
  bool oversized = false;  // longer than kMaxPayload: drained and dropped
};

// Reads one frame. kUnavailable at end of stream. An oversized payload is read away without being
// stored, so that the connection survives it.
Task<Result<Frame>> read_frame(Stream& stream);

// A frame on its way out, in two parts: what carries much data is written from where it lies.
struct OutFrame {
  std::string head;  // header, first bytes of the payload
  std::string body;  // the rest
};

// Frame with the payload `prefix` + `body`. kResourceExhausted above kMaxPayload.
Result<OutFrame> make_frame(uint32_t stream, FrameType type, std::string_view prefix,
                            std::string body);

// Completion condition of asio::async_read and async_write: as much at once as the kernel takes,
// not in pieces of 64 KiB.
inline size_t transfer_whole(const boost::system::error_code& error, size_t) {
  return error ? 0 : SIZE_MAX;
}

}  // namespace kata::ttrpc
