#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "base/event.h"

namespace kata::agent {

// Serializes coroutines of one event loop in the order they came. Used per container and per
// stream, so that a slow container never delays another one.
class AsyncMutex {
  struct State {
    bool held = false;
    std::deque<Event> waiters;

    // Hands the lock to the next waiter, without a moment in which it is free.
    void release() {
      if (waiters.empty()) {
        held = false;
        return;
      }
      Event next = std::move(waiters.front());
      waiters.pop_front();
      next.set();
    }
  };

 public:
  // Unlocks when it goes out of scope; may outlive the mutex.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&&) = default;
    Guard& operator=(Guard&& other) {
      unlock();
      state_ = std::move(other.state_);
      return *this;
    }
    ~Guard() { unlock(); }

   private:
    friend class AsyncMutex;
    explicit Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void unlock() {
      if (auto state = std::move(state_)) state->release();
    }
    std::shared_ptr<State> state_;
  };

  Task<Guard> lock() { return lock(state_); }

 private:
  static Task<Guard> lock(std::shared_ptr<State> state);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline Task<AsyncMutex::Guard> AsyncMutex::lock(std::shared_ptr<State> state) {
  if (state->held) {
    Event turn(co_await asio::this_coro::executor);
    state->waiters.push_back(turn);
    co_await turn.wait();
  }
  state->held = true;
  co_return Guard(std::move(state));
}

}  // namespace kata::agent
