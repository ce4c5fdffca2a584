#include "agent/rpc/serve.h"

#include <charconv>

#include "base/log.h"
#include "ttrpc/transport.h"

namespace kata::agent {

Result<UniqueFd> open_server_socket(const std::string& address) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kVsock = "vsock://";
  if (address.starts_with(kUnix)) return ttrpc::listen_unix(address.substr(kUnix.size()));
  size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (address.starts_with(kVsock) && colon != std::string::npos) {
    const char* end = address.data() + address.size();
    auto [stop, problem] = std::from_chars(address.data() + colon + 1, end, port);
    if (problem == std::errc() && stop == end) return ttrpc::listen_vsock(port);
  }
  return fail(Code::kInvalidArgument, "server address \"" + address + "\" is not understood");
}

Task<> serve_until_finished(Agent& agent, ttrpc::Server& server, UniqueFd socket) {
  auto executor = co_await asio::this_coro::executor;
  auto adopted = ttrpc::Listener::adopt(executor, std::move(socket));
  if (!adopted) {
    log::failure("serve", adopted.error());
    co_return;
  }
  auto listener = std::make_shared<ttrpc::Listener>(std::move(*adopted));
  const auto serve = [&server](ttrpc::Stream stream) { return server.serve(std::move(stream)); };
  spawn(executor, ttrpc::serve_each(listener, serve));
  co_await agent.sandbox.finished().wait();
  listener->close();
  // The reply to DestroySandbox is queued behind this turn of the loop.
  co_await sleep_for(1ms);
  server.close_all();
  for (int round = 0; round < 500 && server.connection_count() > 0; ++round) {
    co_await sleep_for(2ms);
  }
}

}  // namespace kata::agent
