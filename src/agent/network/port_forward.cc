#include "agent/network/port_forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/log.h"
#include "ttrpc/forward.h"
#include "ttrpc/transport.h"

namespace kata::agent {
namespace {

using Endpoint = asio::generic::stream_protocol::endpoint;

Endpoint loopback4(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return Endpoint(&address, sizeof address);
}

Endpoint loopback6(uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  return Endpoint(&address, sizeof address);
}

Task<> serve_connection(ttrpc::Stream stream) {
  auto executor = co_await asio::this_coro::executor;
  auto port = co_await ttrpc::read_port_request(stream);
  if (!port) co_return;
  ttrpc::Stream target(executor);
  auto [error4] = co_await target.async_connect(loopback4(*port), use_tuple);
  boost::system::error_code error = error4;
  if (error) {
    boost::system::error_code ignored;
    target.close(ignored);
    auto [error6] = co_await target.async_connect(loopback6(*port), use_tuple);
    error = error6;
  }
  auto answered = co_await ttrpc::answer_port_request(stream, !error);
  if (error || !answered) co_return;
  co_await ttrpc::relay(std::move(stream), std::move(target));
}

}  // namespace

Task<> serve_port_forward() {
  auto served = co_await ttrpc::serve_vsock(ttrpc::kForwardVsockPort, &serve_connection);
  if (!served) log::failure("port forwarding", served.error());
}

}  // namespace kata::agent
