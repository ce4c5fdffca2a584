// Bytes of a peer against the server's frame reader and dispatcher.
#include <sys/socket.h>

#include "base/file.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"
#include "wkt/any.pb.h"

namespace {

using kata::Result;
using kata::Task;

Task<Result<kata::wkt::Any>> echo(kata::wkt::Any request) {
  co_return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // More would block on the socket buffer: the whole input is written before the loop runs.
  if (size > 64 << 10) return 0;
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return 0;
  kata::UniqueFd peer(fds[1]);
  kata::asio::io_context loop(1);
  kata::ttrpc::Server server;
  server.handle<kata::wkt::Any, kata::wkt::Any>("fuzz.Service", "Echo", echo);
  auto stream = kata::ttrpc::adopt_stream(loop.get_executor(), kata::UniqueFd(fds[0]));
  if (!stream || !kata::write_all(peer.get(), {reinterpret_cast<const char*>(data), size}))
    return 0;
  shutdown(peer.get(), SHUT_WR);
  kata::spawn(loop.get_executor(), server.serve(std::move(*stream)));
  loop.run_for(std::chrono::milliseconds(200));
  return 0;
}
