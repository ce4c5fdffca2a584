#include "runtime/port_forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/log_limit.h"
#include "ttrpc/forward.h"

namespace kata::runtime {

namespace {

constexpr auto kAnswerLimit = 20s;
constexpr size_t kMaxConnections = 64;

uint16_t dialled_port(ttrpc::Stream& stream) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(stream.native_handle(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    return 0;
  }
  return ntohs(address.sin_port);
}

// A guest that does not answer loses the connection; the client sees it closed.
Task<Status> ask_within(std::shared_ptr<ttrpc::Stream> guest, uint16_t port) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, kAnswerLimit);
  timer.async_wait([guest](boost::system::error_code aborted) {
    boost::system::error_code ignored;
    if (!aborted) guest->shutdown(ttrpc::Stream::shutdown_both, ignored);
  });
  auto asked = co_await ttrpc::ask_for_port(*guest, port);
  timer.cancel();
  co_return asked;
}

Task<> forward(ttrpc::Stream client, hypervisor::AgentEndpoint endpoint,
               std::shared_ptr<size_t> connections) {
  const uint16_t port = dialled_port(client);
  auto stream = co_await endpoint.connect_now(ttrpc::kForwardVsockPort, kAnswerLimit);
  Status asked;
  if (stream) {
    auto guest = std::make_shared<ttrpc::Stream>(std::move(*stream));
    asked = co_await ask_within(guest, port);
    if (asked) co_await ttrpc::relay(std::move(client), std::move(*guest));
  } else {
    asked = std::unexpected(std::move(stream.error()));
  }
  if (!asked) log::failure("port forwarding", asked.error(), {{"port", std::to_string(port)}});
  --*connections;
}

Task<> accept_all(std::shared_ptr<ttrpc::Listener> listener, hypervisor::AgentEndpoint endpoint) {
  auto executor = co_await asio::this_coro::executor;
  auto connections = std::make_shared<size_t>(0);
  log::Limit full(0.1, 3);
  for (;;) {
    auto client = co_await listener->accept();
    if (!client) co_return;
    if (*connections >= kMaxConnections) {  // closes it
      full.write(log::Level::kWarn, "a forwarded connection is refused: too many are open",
                 {{"limit", std::to_string(kMaxConnections)}});
      continue;
    }
    ++*connections;
    spawn(executor, forward(std::move(*client), endpoint, connections));
  }
}

}  // namespace

Result<std::unique_ptr<PortForward>> PortForward::start(asio::any_io_executor executor,
                                                        network::LoopbackTrap trap,
                                                        hypervisor::AgentEndpoint endpoint) {
  TRY(auto adopted, ttrpc::Listener::adopt(executor, std::move(trap.listener)));
  auto listener = std::make_shared<ttrpc::Listener>(std::move(adopted));
  spawn(executor, accept_all(listener, std::move(endpoint)));
  return std::unique_ptr<PortForward>(new PortForward(listener, std::move(trap.link)));
}

PortForward::~PortForward() {
  listener_->close();
}

}  // namespace kata::runtime
