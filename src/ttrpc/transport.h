#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "ttrpc/frame.h"

// Ways to get a connected stream or a listener.
namespace kata::ttrpc {

// Wraps a connected socket.
Result<Stream> adopt_stream(asio::any_io_executor executor, UniqueFd fd);

// Longest path a unix socket address can hold.
inline constexpr size_t kMaxUnixPath = 107;

Task<Result<Stream>> connect_unix(std::string path);
// Hybrid vsock (facts/agent-protocol.md section 1.3): CONNECT handshake on a unix socket. One try;
// kUnavailable when the guest does not listen yet.
Task<Result<Stream>> connect_hybrid_vsock(std::string path, uint32_t port, Clock::duration limit);
// AF_VSOCK; call only where the guest/host pair is ours.
Task<Result<Stream>> connect_vsock(uint32_t cid, uint32_t port);

// Bound and listening, close-on-exec, mode 0600. The file must not exist.
Result<UniqueFd> listen_unix(const std::string& path, int backlog = 128);
// Any CID; inside a guest only.
Result<UniqueFd> listen_vsock(uint32_t port, int backlog = 128);

// uid of the process at the other end of a unix socket.
Result<uid_t> peer_uid(Stream& stream);

// Accepts connections of a listening socket: unix, or vsock inside a guest, where only the host is
// let in. accept() fails when the listener was closed, and only then.
class Listener {
 public:
  static Result<Listener> adopt(asio::any_io_executor executor, UniqueFd fd);
  Task<Result<Stream>> accept();
  void close();

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  explicit Listener(Acceptor acceptor) : acceptor_(std::move(acceptor)) {}
  Acceptor acceptor_;
};

// What serves one connection.
using ServeStream = std::function<Task<>(Stream)>;
// Serves each connection with a coroutine of its own, until the listener is closed.
Task<> serve_each(std::shared_ptr<Listener> listener, ServeStream serve);
// The same for an AF_VSOCK port; inside a guest only. Comes back when it cannot be listened on.
Task<Status> serve_vsock(uint32_t port, ServeStream serve);

}  // namespace kata::ttrpc
