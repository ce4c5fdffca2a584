#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/task.h"
#include "vsock/muxer.h"

// The host side of hybrid vsock: a client writes "CONNECT <port>\n" (any case, at most 32 bytes),
// reads "OK <host port>\n" and has a stream. A connection that cannot be made is closed without an
// answer. facts/hypervisors.md section 4.2.
namespace kata::vsock {

inline constexpr size_t kMaxConnectLine = 32;

// The port of a CONNECT line without its newline; an error for anything else.
Result<uint32_t> parse_connect(std::string_view line);

// Binds and listens; replaces an old socket file, mode 0600.
Result<std::shared_ptr<asio::local::stream_protocol::acceptor>> bind_unix(
    const asio::any_io_executor& executor, const std::string& path);

// Serves clients until the acceptor is closed.
Task<> serve_hybrid(std::shared_ptr<Muxer> muxer,
                    std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor);

}  // namespace kata::vsock
