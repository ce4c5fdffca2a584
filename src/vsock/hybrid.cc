#include "vsock/hybrid.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cctype>
#include <charconv>

#include "base/log.h"

namespace kata::vsock {

namespace {

using Protocol = asio::local::stream_protocol;

constexpr std::string_view kVerb = "CONNECT ";
constexpr auto kHandshakeLimit = 10s;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

// Adds what is there to the line, byte by byte: what follows the newline belongs to the stream.
// True when the line is complete.
Result<bool> take_line(int socket, std::string* line) {
  for (;;) {
    char byte = 0;
    ssize_t got = recv(socket, &byte, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got < 0) return fail_errno("read CONNECT");
    if (got == 0) return fail(Code::kUnavailable, "client closed before CONNECT");
    if (byte == '\n') return true;
    line->push_back(byte);
    if (line->size() >= kMaxConnectLine) {
      return fail(Code::kInvalidArgument, "CONNECT line too long");
    }
  }
}

Task<Result<uint32_t>> read_connect(std::shared_ptr<StreamSocket> socket) {
  asio::steady_timer timer(socket->get_executor(), kHandshakeLimit);
  timer.async_wait([weak = std::weak_ptr(socket)](boost::system::error_code cancelled) {
    boost::system::error_code ignored;
    auto late = weak.lock();
    if (!cancelled && late) late->cancel(ignored);
  });
  std::string line;
  for (;;) {
    CO_TRY(bool complete, take_line(socket->native_handle(), &line));
    if (complete) co_return parse_connect(line);
    auto [failed] = co_await socket->async_wait(StreamSocket::wait_read, use_tuple);
    if (failed) co_return fail(Code::kDeadlineExceeded, "no CONNECT line");
  }
}

Task<> serve_client(std::shared_ptr<Muxer> muxer, StreamSocket accepted) {
  auto socket = std::make_shared<StreamSocket>(std::move(accepted));
  auto port = co_await read_connect(socket);
  if (!port) {
    log::debug("hybrid vsock client dropped", {{"reason", port.error().message()}});
    co_return;
  }
  Status opened = co_await Muxer::open(muxer, *port, std::move(*socket), true, kHandshakeLimit);
  if (!opened) log::debug("hybrid vsock client refused", {{"reason", opened.error().message()}});
}

}  // namespace

Result<uint32_t> parse_connect(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > kVerb.size() && equal_ignoring_case(line.substr(0, kVerb.size()), kVerb)) {
    std::string_view digits = line.substr(kVerb.size());
    uint32_t port = 0;
    auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed == std::errc() && end == digits.data() + digits.size()) return port;
  }
  return fail(Code::kInvalidArgument, "not a CONNECT line");
}

Result<std::shared_ptr<Protocol::acceptor>> bind_unix(const asio::any_io_executor& executor,
                                                      const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalidArgument, "socket path longer than 107 bytes: " + path);
  }
  path.copy(address.sun_path, path.size());
  struct stat old {};
  if (lstat(path.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) unlink(path.c_str());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("make a unix socket");
  // Applies to the file that bind makes, so there is no moment with a wider mode.
  fchmod(fd.get(), 0600);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("bind " + path);
  }
  if (listen(fd.get(), SOMAXCONN) != 0) return fail_errno("listen on " + path);
  auto acceptor = std::make_shared<Protocol::acceptor>(executor);
  boost::system::error_code failed;
  acceptor->assign(Protocol(), fd.get(), failed);
  if (failed) return fail(Code::kInternal, "watch " + path + ": " + failed.message());
  [[maybe_unused]] int owned_by_acceptor = fd.release();
  return acceptor;
}

Task<> serve_hybrid(std::shared_ptr<Muxer> muxer, std::shared_ptr<Protocol::acceptor> acceptor) {
  while (acceptor->is_open()) {
    auto [failed, socket] = co_await acceptor->async_accept(use_tuple);
    if (!acceptor->is_open()) co_return;
    if (failed) {
      // Out of descriptors or the like: let others close theirs.
      co_await sleep_for(10ms);
      continue;
    }
    auto executor = socket.get_executor();
    kata::spawn(executor, serve_client(muxer, std::move(socket)));
  }
}

}  // namespace kata::vsock
