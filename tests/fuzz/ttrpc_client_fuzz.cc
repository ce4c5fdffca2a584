// Bytes of a hostile agent against the client: two calls are pending while the answer arrives.
#include <sys/socket.h>

#include "base/file.h"
#include "ttrpc/client.h"
#include "ttrpc/transport.h"
#include "wkt/any.pb.h"

namespace {

kata::Task<> ask(std::shared_ptr<kata::ttrpc::Client> client) {
  auto reply = co_await client->call<kata::wkt::Any>("fuzz.Service", "Ask", kata::wkt::Any());
  if (reply && reply->type_url().size() > (4u << 20)) kata::panic("reply above the limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 64 << 10) return 0;
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return 0;
  kata::UniqueFd peer(fds[1]);
  kata::asio::io_context loop(1);
  auto stream = kata::ttrpc::adopt_stream(loop.get_executor(), kata::UniqueFd(fds[0]));
  if (!stream || !kata::write_all(peer.get(), {reinterpret_cast<const char*>(data), size}))
    return 0;
  shutdown(peer.get(), SHUT_WR);
  auto client = kata::ttrpc::Client::create(std::move(*stream));
  kata::spawn(loop.get_executor(), ask(client));
  kata::spawn(loop.get_executor(), ask(client));
  loop.run_for(std::chrono::milliseconds(200));
  return 0;
}
