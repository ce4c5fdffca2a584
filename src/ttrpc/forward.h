#pragma once

#include <cstdint>

#include "ttrpc/frame.h"

// Forwarding of TCP connections into a guest (kubectl port-forward): the host connects to a port of
// its own on vsock, asks for a TCP port, and the stream is that port's from then on.
//
//   host:  2 bytes, the TCP port, big endian
//   agent: 1 byte, 0 = connected, 1 = nobody listens; then raw bytes both ways
//
// An agent without this service (upstream's) does not listen there.
namespace kata::ttrpc {

inline constexpr uint32_t kForwardVsockPort = 1029;

// Host: asks for a port. kUnavailable when nobody listens on it in the guest.
Task<Status> ask_for_port(Stream& stream, uint16_t port);

// Agent: reads the request, answers it.
Task<Result<uint16_t>> read_port_request(Stream& stream);
Task<Status> answer_port_request(Stream& stream, bool connected);

// Silence after which a connection with one direction ended is given up: its end never comes.
inline constexpr Clock::duration kHalfClosedLimit = 60s;

// Copies both ways until both directions have ended; the end of one is passed on as such. An error
// ends both, and so does `half_closed` without a byte once one has ended.
Task<> relay(Stream one, Stream other, Clock::duration half_closed = kHalfClosedLimit);

}  // namespace kata::ttrpc
