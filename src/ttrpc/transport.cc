#include "ttrpc/transport.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "base/deadline.h"
#include "base/log.h"

namespace kata::ttrpc {

namespace {

using Protocol = asio::generic::stream_protocol;

Result<sockaddr_un> unix_address(const std::string& path) {
  if (path.empty() || path.size() > kMaxUnixPath) {
    return fail(Code::kInvalidArgument, "socket path '" + path + "' is not 1 to 107 bytes long");
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

sockaddr_vm vsock_address(uint32_t cid, uint32_t port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

template <class Address>
Task<Result<Stream>> connect_to(Address address, std::string what) {
  Stream stream(co_await asio::this_coro::executor);
  Protocol::endpoint endpoint(&address, sizeof address);
  auto [error] = co_await stream.async_connect(endpoint, use_tuple);
  if (error) co_return fail_errno("connect to " + what, error.value());
  co_return stream;
}

template <class Address>
Result<UniqueFd> listen_on(int family, const Address& address, int backlog,
                           const std::string& what) {
  UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket for " + what);
  // The path of a unix socket has the socket's mode from the first moment on (unix(7)). The umask
  // would do that too, but for files that other threads make meanwhile as well.
  if (family == AF_UNIX && fchmod(fd.get(), 0600) < 0) return fail_errno("chmod " + what);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno("bind " + what);
  }
  if (listen(fd.get(), backlog) < 0) return fail_errno("listen on " + what);
  return fd;
}

// Reads the line that answers CONNECT, byte by byte: what follows belongs to the guest's stream.
Task<Result<std::string>> read_line(Stream& stream) {
  std::string line;
  while (line.size() < 32) {
    char c = 0;
    auto [error, n] = co_await stream.async_receive(asio::buffer(&c, 1), use_tuple);
    if (error || n == 0) co_return fail(Code::kUnavailable, "nobody listens in the guest yet");
    if (c == '\n') co_return line;
    line.push_back(c);
  }
  co_return fail(Code::kInternal, "malformed answer to CONNECT");
}

// vsock is not divided by network namespaces: through the loopback transport, or the guest's own
// CID, a container could reach what listens for the host. Local processes cannot bind the host's
// CID.
bool comes_from_outside(Stream& stream) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(stream.native_handle(), reinterpret_cast<sockaddr*>(&peer), &length) < 0) {
    return false;
  }
  if (peer.ss_family != AF_VSOCK) return true;
  return reinterpret_cast<const sockaddr_vm&>(peer).svm_cid == VMADDR_CID_HOST;
}

}  // namespace

Result<Stream> adopt_stream(asio::any_io_executor executor, UniqueFd fd) {
  int family = 0;
  socklen_t length = sizeof family;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) {
    return fail_errno("not a socket");
  }
  Stream stream(executor);
  boost::system::error_code error;
  stream.assign(Protocol(family, 0), fd.get(), error);
  if (error) return fail_errno("watch socket", error.value());
  [[maybe_unused]] int owned = fd.release();
  return stream;
}

Task<Result<Stream>> connect_unix(std::string path) {
  CO_TRY(sockaddr_un address, unix_address(path));
  co_return co_await connect_to(address, path);
}

Task<Result<Stream>> connect_vsock(uint32_t cid, uint32_t port) {
  co_return co_await connect_to(vsock_address(cid, port),
                                "vsock " + std::to_string(cid) + ":" + std::to_string(port));
}

Task<Result<Stream>> connect_hybrid_vsock(std::string path, uint32_t port, Clock::duration limit) {
  CO_TRY(Stream stream, co_await connect_unix(path));
  std::string command = "CONNECT " + std::to_string(port) + "\n";
  auto [error, n] = co_await asio::async_write(stream, asio::buffer(command), use_tuple);
  if (error) co_return fail(Code::kUnavailable, "send CONNECT: " + error.message());
  // A silent peer is cut off by closing the socket under the read.
  Deadline deadline(stream.get_executor(), limit, [&stream] {
    boost::system::error_code ignored;
    stream.close(ignored);
  });
  auto line = co_await read_line(stream);
  if (deadline.expired()) {
    co_return fail(Code::kDeadlineExceeded, "no answer to CONNECT " + std::to_string(port));
  }
  if (!line) co_return std::unexpected(std::move(line.error()));
  if (line->find("OK") == std::string::npos) {
    co_return fail(Code::kUnavailable, "port " + std::to_string(port) + " refused");
  }
  co_return stream;
}

Result<UniqueFd> listen_unix(const std::string& path, int backlog) {
  TRY(sockaddr_un address, unix_address(path));
  return listen_on(AF_UNIX, address, backlog, path);
}

Result<UniqueFd> listen_vsock(uint32_t port, int backlog) {
  return listen_on(AF_VSOCK, vsock_address(VMADDR_CID_ANY, port), backlog,
                   "vsock port " + std::to_string(port));
}

Result<uid_t> peer_uid(Stream& stream) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(stream.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) {
    return fail_errno("peer credentials");
  }
  return credentials.uid;
}

Result<Listener> Listener::adopt(asio::any_io_executor executor, UniqueFd fd) {
  int family = 0;
  socklen_t length = sizeof family;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) {
    return fail_errno("not a listening socket");
  }
  Acceptor acceptor(executor);
  boost::system::error_code error;
  acceptor.assign(Protocol(family, 0), fd.get(), error);
  if (error) return fail_errno("watch listening socket", error.value());
  [[maybe_unused]] int owned = fd.release();
  return Listener(std::move(acceptor));
}

Task<Result<Stream>> Listener::accept() {
  while (true) {
    auto [error, stream] = co_await acceptor_.async_accept(use_tuple);
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
      co_return fail_errno("accept", error.value());
    }
    if (error) {
      // Out of descriptors or memory: passes.
      log::warn("cannot accept a connection", {{"error", error.message()}});
      co_await sleep_for(100ms);
      continue;
    }
    if (comes_from_outside(stream)) co_return std::move(stream);
    log::debug("a connection from inside the guest was refused");
  }
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

Task<> serve_each(std::shared_ptr<Listener> listener, ServeStream serve) {
  auto executor = co_await asio::this_coro::executor;
  while (true) {
    auto stream = co_await listener->accept();
    if (!stream) co_return;
    spawn(executor, serve(std::move(*stream)));
  }
}

Task<Status> serve_vsock(uint32_t port, ServeStream serve) {
  auto executor = co_await asio::this_coro::executor;
  CO_TRY(UniqueFd fd, listen_vsock(port));
  CO_TRY(Listener listener, Listener::adopt(executor, std::move(fd)));
  co_await serve_each(std::make_shared<Listener>(std::move(listener)), std::move(serve));
  co_return Status{};
}

}  // namespace kata::ttrpc
