#include "vsock/vhost_user_vsock.h"

#include <sys/socket.h>

#include <algorithm>

#include "vsock/hybrid.h"
#include "vsock/muxer.h"
#include "vsock/vhost_user_device.h"

namespace kata::vsock {

namespace {

using Protocol = asio::local::stream_protocol;

// Between two tries to reach a port nobody listens on. A try costs one packet each way.
constexpr auto kFirstRetry = 2ms;
constexpr auto kLongestRetry = 20ms;

}  // namespace

VhostUserVsock::VhostUserVsock(asio::any_io_executor executor, Options options)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      muxer_(std::make_shared<Muxer>(executor_, options_.guest_cid, options_.uds_path)),
      device_(std::make_shared<VhostUserDevice>(options_.guest_cid, muxer_.get())) {
  muxer_->set_port(device_.get());
}

VhostUserVsock::~VhostUserVsock() {
  boost::system::error_code ignored;
  if (hybrid_) {
    hybrid_->close(ignored);
    unlink(options_.uds_path.c_str());
  }
  if (front_ends_) front_ends_->close(ignored);
  device_->close();
  muxer_->close();
}

Result<std::unique_ptr<VhostUserVsock>> VhostUserVsock::create(asio::any_io_executor executor,
                                                               Options options) {
  if (options.guest_cid <= kHostCid || options.guest_cid >= UINT32_MAX) {
    return fail(Code::kInvalidArgument, "vsock CID " + std::to_string(options.guest_cid));
  }
  std::unique_ptr<VhostUserVsock> self(new VhostUserVsock(std::move(executor), std::move(options)));
  if (!self->options_.uds_path.empty()) {
    TRY(self->hybrid_, bind_unix(self->executor_, self->options_.uds_path));
    kata::spawn(self->executor_, serve_hybrid(self->muxer_, self->hybrid_));
  }
  return self;
}

Result<UniqueFd> VhostUserVsock::make_front_end() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail_errno("make the vhost-user socket pair");
  }
  UniqueFd theirs(pair[1]);
  kata::spawn(executor_,
              VhostUserDevice::serve(device_, StreamSocket(executor_, Protocol(), pair[0])));
  return theirs;
}

Status VhostUserVsock::listen(const std::string& path) {
  TRY(front_ends_, bind_unix(executor_, path));
  kata::spawn(executor_, accept_front_ends(device_, front_ends_));
  return {};
}

Task<> VhostUserVsock::accept_front_ends(std::shared_ptr<VhostUserDevice> device,
                                         std::shared_ptr<Protocol::acceptor> acceptor) {
  while (acceptor->is_open()) {
    auto [failed, socket] = co_await acceptor->async_accept(use_tuple);
    if (failed) continue;
    co_await VhostUserDevice::serve(device, std::move(socket));
  }
}

Event& VhostUserVsock::driver_ready() {
  return muxer_->driver_ready();
}
size_t VhostUserVsock::connections() const {
  return muxer_->connections();
}

Task<Result<StreamSocket>> VhostUserVsock::connect(uint32_t port, Clock::duration limit) {
  return connect_to(muxer_, port, limit);
}

Task<Result<StreamSocket>> VhostUserVsock::connect_when_listening(uint32_t port,
                                                                  Clock::time_point deadline) {
  return connect_until(muxer_, port, deadline);
}

Task<Result<StreamSocket>> VhostUserVsock::connect_to(std::shared_ptr<Muxer> muxer, uint32_t port,
                                                      Clock::duration limit) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    co_return fail_errno("make a vsock socket pair");
  }
  auto executor = co_await asio::this_coro::executor;
  StreamSocket ours(executor, Protocol(), pair[0]);
  StreamSocket device_side(executor, Protocol(), pair[1]);
  CO_TRY_STATUS(co_await Muxer::open(muxer, port, std::move(device_side), false, limit));
  co_return std::move(ours);
}

Task<Result<StreamSocket>> VhostUserVsock::connect_until(std::shared_ptr<Muxer> muxer,
                                                         uint32_t port,
                                                         Clock::time_point deadline) {
  bool up = co_await muxer->progress().wait_for(deadline - Clock::now());
  if (!up) co_return fail(Code::kDeadlineExceeded, "the guest's vsock driver did not come up");
  Clock::duration pause = kFirstRetry;
  for (;;) {
    Clock::duration left = deadline - Clock::now();
    auto socket = co_await connect_to(muxer, port, std::max<Clock::duration>(left, 1ms));
    if (socket || socket.error().code() != Code::kUnavailable || muxer->lost()) co_return socket;
    if (Clock::now() + pause >= deadline) {
      co_return std::unexpected(std::move(socket.error()).as(Code::kDeadlineExceeded));
    }
    co_await sleep_for(pause);
    pause = std::min<Clock::duration>(pause * 2, kLongestRetry);
  }
}

}  // namespace kata::vsock
