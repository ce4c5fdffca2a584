#include "vsock/vhost_user_device.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"

namespace kata::vsock {

namespace {

constexpr uint64_t kVersion1 = 1ull << 32;
constexpr uint64_t kProtocolFeatures = 1ull << 30;
constexpr uint64_t kDeviceFeatures = kVersion1 | kProtocolFeatures;

constexpr uint64_t kMultiQueue = 1ull << 0;
constexpr uint64_t kReplyAck = 1ull << 3;
constexpr uint64_t kConfig = 1ull << 9;
// Without it the front end hands over at most 8 regions: too few for ten memory slots.
constexpr uint64_t kConfigureMemSlots = 1ull << 15;
constexpr uint64_t kOffered = kMultiQueue | kReplyAck | kConfig | kConfigureMemSlots;

std::vector<uint8_t> u64_bytes(uint64_t value) {
  std::vector<uint8_t> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::unexpected<Error> bad_message(const Message& message, std::string_view what) {
  return fail(Code::kInvalidArgument,
              "vhost-user message " + std::to_string(message.request) + ": " + std::string(what));
}

void set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace

Task<> VhostUserDevice::serve(std::shared_ptr<VhostUserDevice> self, Socket socket) {
  // A newer front end takes over; the older session notices and leaves everything alone.
  unsigned session = ++self->session_;
  if (self->socket_ && self->user_ != nullptr) self->user_->device_lost();
  self->forget_front_end();
  self->socket_.emplace(std::move(socket));
  Status result = co_await self->serve_messages(session);
  if (self->user_ == nullptr || self->session_ != session) co_return;
  if (!result && result.error().code() != Code::kUnavailable) {
    log::failure("vhost-user-vsock: front end dropped", result.error());
  }
  self->forget_front_end();
  self->user_->device_lost();
}

void VhostUserDevice::close() {
  user_ = nullptr;
  forget_front_end();
}

void VhostUserDevice::forget_front_end() {
  running_ = false;
  broken_ = false;
  for (Ring& ring : rings_) ring = Ring{};
  memory_.clear();
  reader_ = MessageReader{};
  protocol_features_ = 0;
  if (socket_) {
    boost::system::error_code ignored;
    socket_->close(ignored);
  }
}

Task<Status> VhostUserDevice::serve_messages(unsigned session) {
  while (session == session_ && socket_->is_open()) {
    CO_TRY(auto message, reader_.poll(socket_->native_handle()));
    if (!message) {
      auto [failed] = co_await socket_->async_wait(Socket::wait_read, use_tuple);
      if (failed) co_return fail(Code::kUnavailable, "vhost-user: closed");
      continue;
    }
    auto handled = handle(*message);
    if (!handled) co_return std::unexpected(std::move(handled.error()));
    if (*handled) {
      CO_TRY_STATUS(reply(*message, **handled));
    } else if (message->needs_reply() && (protocol_features_ & kReplyAck) != 0) {
      CO_TRY_STATUS(reply(*message, u64_bytes(0)));
    }
    update_running();
  }
  co_return fail(Code::kUnavailable, "vhost-user: closed");
}

Status VhostUserDevice::reply(const Message& message, const std::vector<uint8_t>& payload) {
  auto bytes = encode_reply(message.request, payload);
  ssize_t sent =
      send(socket_->native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return fail_errno("answer the vhost-user front end");
  // The front end waits for each answer, so the socket's buffer is never full.
  if (static_cast<size_t>(sent) != bytes.size()) {
    return fail(Code::kInternal, "vhost-user front end does not read");
  }
  return {};
}

Result<std::optional<std::vector<uint8_t>>> VhostUserDevice::handle(Message& message) {
  using Answer = std::optional<std::vector<uint8_t>>;
  switch (static_cast<Request>(message.request)) {
    case Request::kGetFeatures:
      return Answer(u64_bytes(kDeviceFeatures));
    case Request::kGetProtocolFeatures:
      return Answer(u64_bytes(kOffered));
    case Request::kGetQueueNum:
      return Answer(u64_bytes(kQueueCount));
    case Request::kGetMaxMemSlots:
      return Answer(u64_bytes(GuestMemory::kMaxRegions));
    case Request::kSetFeatures:
      if ((message.u64(0) & ~kDeviceFeatures) != 0) {
        return bad_message(message, "features that were not offered");
      }
      return Answer();
    case Request::kSetProtocolFeatures:
      protocol_features_ = message.u64(0) & kOffered;
      return Answer();
    case Request::kSetOwner:
    case Request::kResetOwner:
    case Request::kSetConfig:
      return Answer();
    case Request::kGetConfig: {
      TRY(auto config, get_config(message));
      return Answer(std::move(config));
    }
    case Request::kGetVringBase: {
      TRY(auto base, stop_ring(message));
      return Answer(std::move(base));
    }
    case Request::kSetMemTable:
    case Request::kAddMemRegion:
    case Request::kRemoveMemRegion:
      TRY_STATUS(handle_memory(message));
      return Answer();
    default:
      TRY_STATUS(handle_ring(message));
      return Answer();
  }
}

Status VhostUserDevice::handle_memory(Message& message) {
  switch (static_cast<Request>(message.request)) {
    case Request::kAddMemRegion:
      return change_region(message, true);
    case Request::kRemoveMemRegion:
      return change_region(message, false);
    default:
      return set_mem_table(message);
  }
}

Status VhostUserDevice::set_mem_table(Message& message) {
  size_t count = message.u32(0);
  if (count > MessageReader::kMaxFds || count != message.fds.size() ||
      message.payload.size() != 8 + count * sizeof(MemoryRegion)) {
    return bad_message(message, "wrong number of regions");
  }
  memory_.clear();
  for (size_t i = 0; i < count; ++i) {
    MemoryRegion region;
    std::memcpy(&region, message.payload.data() + 8 + i * sizeof region, sizeof region);
    TRY_STATUS(memory_.add(region, std::move(message.fds[i])));
  }
  return {};
}

Status VhostUserDevice::change_region(Message& message, bool add) {
  MemoryRegion region;
  if (message.payload.size() != 8 + sizeof region) return bad_message(message, "wrong size");
  std::memcpy(&region, message.payload.data() + 8, sizeof region);
  if (!add) return memory_.remove(region);
  if (message.fds.size() != 1) return bad_message(message, "no memory file");
  return memory_.add(region, std::move(message.fds[0]));
}

Result<QueueIndex> VhostUserDevice::ring_index(uint64_t value) const {
  if (value >= kQueueCount) {
    return fail(Code::kInvalidArgument, "vhost-user ring " + std::to_string(value));
  }
  return static_cast<QueueIndex>(value);
}

Status VhostUserDevice::handle_ring(Message& message) {
  if (message.payload.size() < 8) return bad_message(message, "too short");
  auto request = static_cast<Request>(message.request);
  bool carries_fd = request == Request::kSetVringKick || request == Request::kSetVringCall ||
                    request == Request::kSetVringErr;
  TRY(QueueIndex index, ring_index(carries_fd ? message.u64(0) & 0xff : message.u32(0)));
  Ring& ring = rings_[index];
  switch (request) {
    case Request::kSetVringNum:
      return ring.queue.set_size(message.u32(4));
    case Request::kSetVringAddr:
      if (message.payload.size() < 40) return bad_message(message, "too short");
      ring.queue.set_addresses(message.u64(8), message.u64(24), message.u64(16));
      ring.addressed = true;
      return {};
    case Request::kSetVringBase:
      ring.queue.set_position(static_cast<uint16_t>(message.u32(4)));
      return {};
    case Request::kSetVringEnable:
      ring.enabled = message.u32(4) != 0;
      return {};
    case Request::kSetVringKick:
      return set_kick(ring, index, message);
    case Request::kSetVringCall:
      ring.call.reset();
      if (!message.fds.empty()) ring.call = std::move(message.fds[0]);
      if (ring.call) set_nonblocking(ring.call.get());
      return {};
    case Request::kSetVringErr:
      return {};
    default:
      return bad_message(message, "not supported");
  }
}

Status VhostUserDevice::set_kick(Ring& ring, QueueIndex index, Message& message) {
  ring.kick.reset();
  if (message.fds.empty()) return bad_message(message, "rings without a kick are not supported");
  set_nonblocking(message.fds[0].get());
  boost::system::error_code failed;
  auto kick = std::make_shared<Kick>(socket_->get_executor());
  kick->assign(message.fds[0].get(), failed);
  if (failed) return bad_message(message, "the kick cannot be waited for");
  [[maybe_unused]] int owned_by_kick = message.fds[0].release();
  ring.kick = kick;
  wait_for_kick(index, std::move(kick));
  return {};
}

Result<std::vector<uint8_t>> VhostUserDevice::get_config(const Message& message) const {
  constexpr size_t kPrefix = 12;
  size_t offset = message.u32(0);
  size_t size = message.u32(4);
  if (message.payload.size() < kPrefix || message.payload.size() - kPrefix != size) {
    return bad_message(message, "wrong size");
  }
  std::vector<uint8_t> answer = message.payload;
  auto cid = u64_bytes(guest_cid_);
  for (size_t i = 0; i < size; ++i) {
    answer[kPrefix + i] = offset + i < cid.size() ? cid[offset + i] : 0;
  }
  return answer;
}

Result<std::vector<uint8_t>> VhostUserDevice::stop_ring(const Message& message) {
  TRY(QueueIndex index, ring_index(message.u32(0)));
  Ring& ring = rings_[index];
  ring.kick.reset();
  ring.enabled = false;
  ring.stopped_at = ring.queue.position();
  update_running();
  return u64_bytes(uint64_t{ring.stopped_at} << 32 | index);
}

void VhostUserDevice::wait_for_kick(QueueIndex index, std::shared_ptr<Kick> kick) {
  Kick& descriptor = *kick;
  descriptor.async_wait(Kick::wait_read, [self = shared_from_this(), index, kick = std::move(kick)](
                                             boost::system::error_code failed) mutable {
    if (failed || self->rings_[index].kick != kick) return;
    uint64_t count = 0;
    if (read(kick->native_handle(), &count, sizeof count) == 0) return;  // not an eventfd: hung up
    if (self->running_) self->user_->ring_kicked(index);
    if (self->rings_[index].kick == kick) self->wait_for_kick(index, std::move(kick));
  });
}

void VhostUserDevice::update_running() {
  bool ready = !broken_ && std::ranges::all_of(rings_, [](const Ring& ring) {
    return ring.queue.size() != 0 && ring.addressed && ring.enabled && ring.kick != nullptr;
  });
  if (ready == running_ || user_ == nullptr) return;
  running_ = ready;
  if (!ready) return user_->rings_stopped();
  bool from_zero =
      std::ranges::all_of(rings_, [](const Ring& r) { return r.queue.position() == 0; });
  bool moved = std::ranges::any_of(rings_, [](const Ring& r) { return r.stopped_at != 0; });
  user_->rings_started(from_zero && moved);
}

Result<RingView> VhostUserDevice::open_ring(QueueIndex queue) {
  return RingView::open(
      rings_[queue].queue, memory_,
      queue == kRxQueue ? RingView::Direction::kToGuest : RingView::Direction::kFromGuest);
}

void VhostUserDevice::interrupt(QueueIndex queue) {
  if (!rings_[queue].call) return;
  uint64_t one = 1;
  // EAGAIN: the counter is full, so an interrupt is pending anyway.
  [[maybe_unused]] ssize_t ignored = write(rings_[queue].call.get(), &one, sizeof one);
}

void VhostUserDevice::violation(const Error& error) {
  if (broken_) return;
  log::failure("vhost-user-vsock: device stopped", error);
  broken_ = true;
  running_ = false;
  if (user_ != nullptr) user_->device_lost();
}

}  // namespace kata::vsock
