#include "hypervisor/agent_endpoint.h"

#include <algorithm>

#include "ttrpc/transport.h"
#include "vsock/vhost_user_vsock.h"

namespace kata::hypervisor {

namespace {

// Between two tries where nothing tells us that the guest listens.
constexpr auto kFirstRetry = 5ms;
constexpr auto kLongestRetry = 100ms;

ttrpc::Stream generic(vsock::StreamSocket socket) {
  return ttrpc::Stream(std::move(socket));
}

Task<Result<ttrpc::Stream>> connect_once(AgentEndpoint endpoint, uint32_t port,
                                         Clock::duration limit) {
  switch (endpoint.kind) {
    case AgentEndpoint::Kind::kInProcess: {
      CO_TRY(auto socket, co_await endpoint.device->connect(port, limit));
      co_return generic(std::move(socket));
    }
    case AgentEndpoint::Kind::kHybrid:
      co_return co_await ttrpc::connect_hybrid_vsock(endpoint.uds_path, port, limit);
    case AgentEndpoint::Kind::kVsock:
      co_return co_await ttrpc::connect_vsock(endpoint.cid, port);
    case AgentEndpoint::Kind::kNone:
      break;
  }
  co_return fail(Code::kFailedPrecondition, "the VM has no channel to the guest");
}

Task<Result<ttrpc::Stream>> connect_until(AgentEndpoint endpoint, uint32_t port,
                                          Clock::time_point deadline) {
  if (endpoint.kind == AgentEndpoint::Kind::kInProcess) {
    CO_TRY(auto socket, co_await endpoint.device->connect_when_listening(port, deadline));
    co_return generic(std::move(socket));
  }
  Clock::duration pause = kFirstRetry;
  for (;;) {
    Clock::duration left = std::max<Clock::duration>(deadline - Clock::now(), 1ms);
    auto stream = co_await connect_once(endpoint, port, left);
    if (stream || endpoint.kind == AgentEndpoint::Kind::kNone) co_return stream;
    if (Clock::now() + pause >= deadline) {
      co_return std::unexpected(std::move(stream.error()).as(Code::kDeadlineExceeded));
    }
    co_await sleep_for(pause);
    pause = std::min<Clock::duration>(pause * 2, kLongestRetry);
  }
}

}  // namespace

std::string AgentEndpoint::url(uint32_t port) const {
  if (kind == Kind::kNone) return {};
  if (kind == Kind::kVsock) return "vsock://" + std::to_string(cid) + ":" + std::to_string(port);
  return "hvsock://" + uds_path + ":" + std::to_string(port);
}

Task<Result<ttrpc::Stream>> AgentEndpoint::connect(uint32_t port,
                                                   Clock::time_point deadline) const {
  return connect_until(*this, port, deadline);
}

Task<Result<ttrpc::Stream>> AgentEndpoint::connect_now(uint32_t port, Clock::duration limit) const {
  return connect_once(*this, port, limit);
}

}  // namespace kata::hypervisor
