#pragma once

#include <list>
#include <memory>
#include <optional>

#include "base/task.h"

namespace kata {

// A latch: set() once wakes every present and future waiter. One event loop only; the waiters may
// outlive the object.
class Event {
 public:
  explicit Event(asio::any_io_executor executor) : state_(std::make_shared<State>()) {
    state_->executor = std::move(executor);
  }

  bool is_set() const { return state_->set; }
  void set();

  Task<> wait() { return wait_on(state_); }
  // False when the time ran out first.
  Task<bool> wait_for(Clock::duration limit) { return wait_on(state_, limit); }

 private:
  struct State {
    asio::any_io_executor executor;
    bool set = false;
    std::list<asio::steady_timer*> waiters;
  };
  static Task<> wait_on(std::shared_ptr<State> state);
  static Task<bool> wait_on(std::shared_ptr<State> state, Clock::duration limit);

  std::shared_ptr<State> state_;
};

// A value that arrives once, seen by any number of waiters. One event loop only.
template <class T>
class Promise {
 public:
  explicit Promise(asio::any_io_executor executor)
      : event_(std::move(executor)), value_(std::make_shared<std::optional<T>>()) {}

  bool ready() const { return event_.is_set(); }
  // The first value wins.
  void set(T value) {
    if (ready()) return;
    *value_ = std::move(value);
    event_.set();
  }
  const T& value() const { return **value_; }
  Task<T> wait() { return wait_on(event_, value_); }
  // False when the time ran out first.
  Task<bool> wait_for(Clock::duration limit) { return event_.wait_for(limit); }

 private:
  static Task<T> wait_on(Event event, std::shared_ptr<std::optional<T>> value) {
    co_await event.wait();
    co_return **value;
  }

  Event event_;
  std::shared_ptr<std::optional<T>> value_;
};

// One holder at a time. One event loop only; the waiters may outlive the object.
class AsyncMutex {
  struct State;

 public:
  // Lets the next one in when it goes.
  class Lock {
   public:
    explicit Lock(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Lock(Lock&&) = default;
    Lock& operator=(Lock&&) = delete;
    ~Lock() {
      if (!state_) return;
      Event freed = *state_->freed;
      state_->freed.reset();
      freed.set();
    }

   private:
    std::shared_ptr<State> state_;
  };

  explicit AsyncMutex(asio::any_io_executor executor) : state_(std::make_shared<State>()) {
    state_->executor = std::move(executor);
  }
  Task<Lock> lock() { return lock_on(state_); }

 private:
  struct State {
    asio::any_io_executor executor;
    std::optional<Event> freed;  // set when the holder goes; empty: nobody holds it
  };
  static Task<Lock> lock_on(std::shared_ptr<State> state) {
    while (state->freed) {
      Event freed = *state->freed;
      co_await freed.wait();
    }
    state->freed.emplace(state->executor);
    co_return Lock(state);
  }

  std::shared_ptr<State> state_;
};

}  // namespace kata
