#include "monitor/serve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/server.h"
#include "monitor/pages.h"
#include "version.h"

namespace kata::monitor {

namespace {

constexpr int kBacklog = 128;
constexpr http::Server::Limits kLimits{
    .connections = 64, .body = 0, .request = 10s, .response = 60s};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const Address& address) {
  SocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.length = sizeof *v4;
    return result;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  // An empty host is the zero address: all addresses, of both families.
  if (!address.host.empty()) inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  result.length = sizeof *v6;
  return result;
}

void set_level(const std::string& word) {
  log::Level level = log::Level::kCritical;  // upstream's fatal and panic
  log::parse_level(word, &level);
  log::set_level(level);
}

Task<> end_on_signal(asio::io_context& loop) {
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  co_await signals.async_wait(use_tuple);
  loop.stop();
}

}  // namespace

bool is_loopback(const Address& address) {
  const SocketAddress at = socket_address(address);
  if (at.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(at.storage);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(at.storage);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

Result<UniqueFd> listen_on(const Address& address) {
  SocketAddress at = socket_address(address);
  UniqueFd fd(socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd && errno == EAFNOSUPPORT && address.host.empty()) {  // a kernel without IPv6
    at = socket_address({.host = "0.0.0.0", .port = address.port});
    fd.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  if (!fd) return fail_errno("make a socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.length) < 0) {
    return fail_errno("bind");
  }
  if (listen(fd.get(), kBacklog) < 0) return fail_errno("listen");
  return fd;
}

Status serve(const Options& options) {
  set_level(options.log_level);
  log::set_common_field("name", "kata-monitor");
  if (geteuid() != 0) {
    return fail(Code::kPermissionDenied, "only root may ask sandboxes; run it as root");
  }
  TRY(const Address address, in_step("--listen-address", parse_address(options.listen_address)));
  TRY(UniqueFd fd, in_step("listen on " + options.listen_address, listen_on(address)));
  if (!is_loopback(address)) {
    log::warn("figures are served to other hosts, to whoever asks",
              {{"address", options.listen_address}});
  }
  asio::io_context loop(1);
  TRY(auto listener, ttrpc::Listener::adopt(loop.get_executor(), std::move(fd)));
  Pages pages{Roots{}};
  auto handle = [&pages](http::Request request) { return pages.answer(std::move(request)); };
  http::Server server(loop.get_executor(), handle, kLimits);
  spawn(loop.get_executor(), server.run(std::move(listener)));
  spawn(loop.get_executor(), end_on_signal(loop));
  log::info("monitor serves", {{"address", options.listen_address}, {"version", kVersion}});
  loop.run();
  // The coroutines under way hold each other.
  _exit(0);
}

}  // namespace kata::monitor
