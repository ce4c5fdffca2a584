#include "ttrpc/frame.h"

#include <algorithm>

namespace kata::ttrpc {

namespace {

uint32_t load_be32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

void store_be32(uint8_t* p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value >> 24);
  p[1] = static_cast<uint8_t>(value >> 16);
  p[2] = static_cast<uint8_t>(value >> 8);
  p[3] = static_cast<uint8_t>(value);
}

// A peer may announce 4 MiB and send nothing: memory follows what has arrived.
constexpr size_t kReadStep = 256 << 10;

Task<Status> read_payload(Stream& stream, size_t length, std::string* out) {
  size_t done = 0;
  while (done < length) {
    size_t step = std::min(length - done, kReadStep);
    out->resize(done + step);
    auto [error, n] = co_await asio::async_read(stream, asio::buffer(out->data() + done, step),
                                                transfer_whole, use_tuple);
    if (error) co_return fail(Code::kUnavailable, "connection closed inside a frame");
    done += step;
  }
  co_return Status{};
}

Task<Status> drain(Stream& stream, size_t length) {
  std::string scratch(std::min<size_t>(length, 64 << 10), '\0');
  while (length > 0) {
    size_t step = std::min(length, scratch.size());
    auto [error, n] =
        co_await asio::async_read(stream, asio::buffer(scratch.data(), step), use_tuple);
    if (error) co_return fail(Code::kUnavailable, "connection closed inside a frame");
    length -= step;
  }
  co_return Status{};
}

}  // namespace

FrameHeader decode_header(const HeaderBytes& bytes) {
  return {load_be32(bytes.data()), load_be32(bytes.data() + 4), bytes[8], bytes[9]};
}

HeaderBytes encode_header(const FrameHeader& header) {
  HeaderBytes bytes;
  store_be32(bytes.data(), header.length);
  store_be32(bytes.data() + 4, header.stream);
  bytes[8] = header.type;
  bytes[9] = header.flags;
  return bytes;
}

Task<Result<Frame>> read_frame(Stream& stream) {
  HeaderBytes bytes;
  auto [error, n] = co_await asio::async_read(stream, asio::buffer(bytes), use_tuple);
  if (error) co_return fail(Code::kUnavailable, "connection closed");
  Frame frame;
  frame.header = decode_header(bytes);
  if (frame.header.length > kMaxPayload) {
    frame.oversized = true;
    CO_TRY_STATUS(co_await drain(stream, frame.header.length));
  } else {
    CO_TRY_STATUS(co_await read_payload(stream, frame.header.length, &frame.payload));
  }
  co_return frame;
}

Result<OutFrame> make_frame(uint32_t stream, FrameType type, std::string_view prefix,
                            std::string body) {
  const size_t size = prefix.size() + body.size();
  if (size > kMaxPayload) {
    return fail(Code::kResourceExhausted,
                "message of " + std::to_string(size) + " bytes is above the ttrpc limit of 4 MiB");
  }
  HeaderBytes header =
      encode_header({static_cast<uint32_t>(size), stream, static_cast<uint8_t>(type), 0});
  OutFrame frame;
  frame.head.reserve(kHeaderSize + prefix.size());
  frame.head.append(reinterpret_cast<const char*>(header.data()), kHeaderSize);
  frame.head += prefix;
  frame.body = std::move(body);
  return frame;
}

}  // namespace kata::ttrpc
