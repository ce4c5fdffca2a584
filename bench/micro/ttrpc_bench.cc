// A unary call between a client and a server on one loop, and the encoding of a frame.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include "containerd/task.pb.h"
#include "ttrpc/client.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"

namespace kata::ttrpc {
namespace {

using containerd::task::v2::ExecProcessRequest;

// Carries a payload of the wanted size there and back.
class EchoPair {
 public:
  EchoPair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) panic("socketpair");
    auto executor = loop_.get_executor();
    server_.handle<ExecProcessRequest, ExecProcessRequest>("bench.Echo", "Echo", &echo);
    spawn(executor, server_.serve(std::move(*adopt_stream(executor, UniqueFd(fds[0])))));
    client_ = Client::create(std::move(*adopt_stream(executor, UniqueFd(fds[1]))));
  }
  ~EchoPair() {
    client_->close();
    loop_.poll();
  }

  bool round_trip(const ExecProcessRequest& request) {
    bool done = false, good = false;
    spawn(loop_.get_executor(), call(client_, &request, &done, &good));
    while (!done) loop_.run_one();
    return good;
  }

 private:
  static Task<Result<ExecProcessRequest>> echo(ExecProcessRequest request) { co_return request; }
  static Task<> call(std::shared_ptr<Client> client, const ExecProcessRequest* request, bool* done,
                     bool* good) {
    auto reply = co_await client->call<ExecProcessRequest>("bench.Echo", "Echo", *request);
    *good = reply && reply->stdin() == request->stdin();
    *done = true;
  }

  asio::io_context loop_{1};
  Server server_;
  std::shared_ptr<Client> client_;
};

void ttrpc_round_trip(benchmark::State& state) {
  EchoPair pair;
  ExecProcessRequest request;
  request.set_stdin(std::string(static_cast<size_t>(state.range(0)), 'x'));
  for (auto _ : state) {
    if (!pair.round_trip(request)) state.SkipWithError("the call failed");
  }
}
BENCHMARK(ttrpc_round_trip)->Arg(16)->Arg(32 << 10)->Unit(benchmark::kMicrosecond);

void frame_codec(benchmark::State& state) {
  const std::string payload(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    auto frame = make_frame(1, FrameType::kRequest, {}, payload);
    HeaderBytes bytes;
    std::copy_n(frame->head.begin(), kHeaderSize, bytes.begin());
    benchmark::DoNotOptimize(decode_header(bytes).length);
  }
}
BENCHMARK(frame_codec)->Arg(64)->Arg(32 << 10)->Unit(benchmark::kNanosecond);

}  // namespace
}  // namespace kata::ttrpc
