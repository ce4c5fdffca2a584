#include "agent/sandbox/oom_events.h"

namespace kata::agent {

void OomEvents::push(std::string container_id) {
  if (closed_ || pending_.size() >= kMaxPending) return;
  pending_.push_back(std::move(container_id));
  wake_first();
}

// The first that has not been woken; it leaves the list by itself.
void OomEvents::wake_first() {
  for (Event& waiter : waiters_) {
    if (waiter.is_set()) continue;
    waiter.set();
    return;
  }
}

Task<Result<std::string>> OomEvents::next(std::shared_ptr<ttrpc::Caller> caller) {
  while (pending_.empty()) {
    if (closed_) co_return fail(Code::kUnavailable, "sandbox is being destroyed");
    if (caller->gone()) break;
    Event turn(executor_);
    auto place = waiters_.insert(waiters_.end(), turn);
    caller->on_gone([turn]() mutable { turn.set(); });
    co_await turn.wait();
    waiters_.erase(place);
  }
  if (caller->gone()) {
    // Its turn was spent on nobody.
    if (!pending_.empty()) wake_first();
    co_return fail(Code::kCanceled, "nobody waits for the event");
  }
  std::string id = std::move(pending_.front());
  pending_.pop_front();
  co_return id;
}

void OomEvents::close() {
  closed_ = true;
  for (auto& waiter : waiters_) waiter.set();
}

}  // namespace kata::agent
