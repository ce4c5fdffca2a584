#pragma once

#include <deque>
#include <list>
#include <memory>
#include <string>

#include "base/event.h"
#include "ttrpc/server.h"

namespace kata::agent {

// Container ids whose processes the kernel's OOM killer hit, in order, for GetOOMEvent's long poll.
// Bounded: with nobody polling, a container that is killed again and again must not eat the guest.
class OomEvents {
 public:
  explicit OomEvents(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void push(std::string container_id);
  // Suspends until there is one; kUnavailable once the sandbox ends. kCanceled, and nothing taken,
  // once the caller is gone.
  Task<Result<std::string>> next(std::shared_ptr<ttrpc::Caller> caller);
  void close();

 private:
  void wake_first();

  static constexpr size_t kMaxPending = 1024;

  asio::any_io_executor executor_;
  std::deque<std::string> pending_;
  std::list<Event> waiters_;
  bool closed_ = false;
};

}  // namespace kata::agent
