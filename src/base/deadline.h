#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/task.h"

namespace kata {

// Does something when a time is up, unless it is destroyed before. For coroutines that have to cut
// an operation of theirs short: a timer's handler may be queued already when the timer is
// cancelled, and would then run with the coroutine's locals gone. Here a late handler does nothing.
// Declare it after what `act` refers to. One event loop.
class Deadline {
 public:
  Deadline(asio::any_io_executor executor, Clock::duration limit, std::function<void()> act)
      : state_(
            std::make_shared<State>(State{asio::steady_timer(executor, limit), std::move(act)})) {
    state_->timer.async_wait([state = state_](boost::system::error_code cancelled) {
      if (cancelled || !state->act) return;
      state->expired = true;
      state->act();
    });
  }
  ~Deadline() {
    state_->act = nullptr;
    state_->timer.cancel();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // `act` has run.
  bool expired() const { return state_->expired; }

 private:
  struct State {
    asio::steady_timer timer;
    std::function<void()> act;
    bool expired = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace kata
