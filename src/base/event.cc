#include "base/event.h"

namespace kata {

void Event::set() {
  if (state_->set) return;
  state_->set = true;
  for (auto* timer : state_->waiters) timer->cancel();
}

Task<> Event::wait_on(std::shared_ptr<State> state) {
  co_await wait_on(std::move(state), Clock::duration::max());
}

Task<bool> Event::wait_on(std::shared_ptr<State> state, Clock::duration limit) {
  if (state->set) co_return true;
  asio::steady_timer timer(state->executor);
  if (limit == Clock::duration::max()) {
    timer.expires_at(Clock::time_point::max());
  } else {
    timer.expires_after(limit);
  }
  auto position = state->waiters.insert(state->waiters.end(), &timer);
  co_await timer.async_wait(use_tuple);
  state->waiters.erase(position);
  co_return state->set;
}

}  // namespace kata
