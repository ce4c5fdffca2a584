#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "base/event.h"
#include "containerd/events_ttrpc.pb.h"
#include "ttrpc/client.h"

namespace kata::shim {

kata::wkt::Timestamp to_timestamp(std::chrono::system_clock::time_point time);

// Sends events to containerd in the order of publish() (facts/shim-v2.md section 10): one queue
// whose head is retried until containerd takes it, also across restarts of containerd. The
// connection is made at the first event. At most kMaxQueued events are kept; when more pile up, the
// oldest ones that are no exits go first. Without an address (CRI-O) events go to the log only. One
// event loop; may be destroyed at any time.
class Publisher {
 public:
  static constexpr size_t kMaxQueued = 4096;

  // `address`: path or unix:// address of containerd's ttrpc socket; empty = log only.
  Publisher(asio::any_io_executor executor, std::string address, std::string containerd_namespace);
  ~Publisher();

  // `event` is one of the messages of package containerd.events.
  template <class Message>
  void publish(std::string topic, const Message& event) {
    enqueue(std::move(topic), event.GetTypeName(), event.SerializeAsString());
  }

  // Waits until everything was sent; false when the time ran out first.
  Task<bool> flush(Clock::duration limit);
  size_t queued() const;

 private:
  struct State;
  void enqueue(std::string topic, std::string type, std::string event);
  static Task<> send_all(std::shared_ptr<State> state);
  static Task<Status> send_head(std::shared_ptr<State> state);
  static Task<Status> connect(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace kata::shim
