#include "shim/events/publisher.h"

#include "base/log.h"
#include "shim/address.h"
#include "shim/events/topics.h"
#include "ttrpc/transport.h"

namespace kata::shim {

namespace {

using containerd::services::events::ttrpc::v1::ForwardRequest;

constexpr char kService[] = "containerd.services.events.ttrpc.v1.Events";
constexpr auto kCallTimeout = 5s;
constexpr auto kFirstDelay = 50ms;
constexpr Clock::duration kLongestDelay = 2s;
// An event that containerd itself refuses (no transport failure) is dropped after so many tries.
constexpr int kMaxRefusals = 5;

bool is_transport_failure(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded ||
         error.sys_errno() != 0;
}

}  // namespace

struct Publisher::State {
  struct Item {
    std::string topic;
    ForwardRequest request;
  };

  State(asio::any_io_executor e, std::string path, std::string ns)
      : executor(e), address(std::move(path)), name_space(std::move(ns)), wake(e), idle(e) {}

  asio::any_io_executor executor;
  std::string address;
  std::string name_space;
  std::deque<Item> queue;
  std::shared_ptr<ttrpc::Client> client;
  bool running = false;
  bool closed = false;
  Event wake;  // ends a back-off
  Event idle;  // renewed by each run of send_all
};

kata::wkt::Timestamp to_timestamp(std::chrono::system_clock::time_point time) {
  auto since = time.time_since_epoch();
  auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  kata::wkt::Timestamp timestamp;
  timestamp.set_seconds(seconds.count());
  timestamp.set_nanos(static_cast<int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count()));
  return timestamp;
}

Publisher::Publisher(asio::any_io_executor executor, std::string address,
                     std::string containerd_namespace)
    : state_(
          std::make_shared<State>(executor, std::move(address), std::move(containerd_namespace))) {}

Publisher::~Publisher() {
  state_->closed = true;
  state_->wake.set();
  if (state_->client) state_->client->close();
}

size_t Publisher::queued() const {
  return state_->queue.size();
}

void Publisher::enqueue(std::string topic, std::string type, std::string event) {
  const auto level = state_->address.empty() ? log::Level::kInfo : log::Level::kDebug;
  log::write(level, "post event", {{"topic", topic}, {"subsystem", "events"}});
  if (state_->address.empty()) return;
  State::Item item{std::move(topic), {}};
  auto* envelope = item.request.mutable_envelope();
  *envelope->mutable_timestamp() = to_timestamp(std::chrono::system_clock::now());
  envelope->set_namespace_(state_->name_space);
  envelope->set_topic(item.topic);
  envelope->mutable_event()->set_type_url(std::move(type));
  envelope->mutable_event()->set_value(std::move(event));
  auto& queue = state_->queue;
  if (queue.size() >= kMaxQueued) {
    auto victim =
        std::ranges::find_if(queue, [](const State::Item& i) { return i.topic != topics::kExit; });
    if (victim == queue.end()) victim = queue.begin();
    log::warn("event queue is full, an event is lost", {{"topic", victim->topic}});
    queue.erase(victim);
  }
  queue.push_back(std::move(item));
  if (state_->running) return;
  state_->running = true;
  state_->idle = Event(state_->executor);
  spawn(state_->executor, send_all(state_));
}

Task<> Publisher::send_all(std::shared_ptr<State> state) {
  Clock::duration delay = kFirstDelay;
  int refusals = 0;
  while (!state->queue.empty() && !state->closed) {
    auto sent = co_await send_head(state);
    if (sent) {
      delay = kFirstDelay;
      refusals = 0;
      continue;
    }
    const bool transport = is_transport_failure(sent.error());
    log::debug("event not delivered yet", {{"error", sent.error().message()}});
    if (!transport && ++refusals >= kMaxRefusals) {
      log::failure("containerd refuses an event, it is dropped", sent.error());
      if (!state->queue.empty()) state->queue.pop_front();
      refusals = 0;
      continue;
    }
    co_await state->wake.wait_for(delay);
    delay = std::min(delay * 2, kLongestDelay);
  }
  state->running = false;
  state->idle.set();
}

// Sends the first event and takes it off the queue. The queue may lose its head meanwhile
// (overflow), so the item moves out and, after a failure, back in.
Task<Status> Publisher::send_head(std::shared_ptr<State> state) {
  if (!state->client || state->client->is_closed()) CO_TRY_STATUS(co_await connect(state));
  if (state->queue.empty()) co_return Status{};
  State::Item item = std::move(state->queue.front());
  state->queue.pop_front();
  ttrpc::CallOptions options;
  options.timeout = kCallTimeout;
  options.metadata.emplace_back("containerd-namespace-ttrpc", state->name_space);
  auto client = state->client;
  auto reply = co_await client->call<kata::wkt::Empty>(kService, "Forward", item.request,
                                                       std::move(options));
  if (reply) co_return Status{};
  state->queue.push_front(std::move(item));
  // A late answer must not be taken for that of the repeated call: start afresh.
  if (is_transport_failure(reply.error())) client->close();
  co_return std::unexpected(std::move(reply.error()));
}

Task<Status> Publisher::connect(std::shared_ptr<State> state) {
  CO_TRY(std::string path, socket_path(state->address));
  CO_TRY(auto stream, co_await ttrpc::connect_unix(std::move(path)));
  state->client = ttrpc::Client::create(std::move(stream));
  co_return Status{};
}

Task<bool> Publisher::flush(Clock::duration limit) {
  auto state = state_;
  if (!state->running) co_return true;
  co_return co_await state->idle.wait_for(limit);
}

}  // namespace kata::shim
