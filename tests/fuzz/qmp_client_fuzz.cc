// Bytes of a VMM against the QMP client, with a command and the negotiation under way.
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "hypervisor/qemu/qmp_client.h"

namespace {

using kata::Task;
using kata::hypervisor::qemu::QmpClient;

Task<> run_command(std::shared_ptr<QmpClient> client) {
  [[maybe_unused]] auto negotiated = co_await client->negotiate(std::chrono::milliseconds(50));
  [[maybe_unused]] auto reply = co_await client->execute("query-status");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // More would block on the socket buffer: the whole input is written before the loop runs.
  if (size > 64 << 10) return 0;
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return 0;
  kata::UniqueFd peer(fds[1]);
  kata::asio::io_context loop(1);
  auto client = QmpClient::adopt(loop.get_executor(), kata::UniqueFd(fds[0]));
  if (!client) return 0;
  kata::spawn(loop.get_executor(), run_command(*client));
  loop.poll();
  if (!kata::write_all(peer.get(), {reinterpret_cast<const char*>(data), size})) return 0;
  shutdown(peer.get(), SHUT_WR);
  loop.run_for(std::chrono::milliseconds(200));
  return 0;
}
