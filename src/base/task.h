#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <exception>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace kata {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A coroutine on the process's event loop. Expected failures travel as Result<T>, never as
// exceptions.
template <class T = void>
using Task = asio::awaitable<T>;

// Completion token: the coroutine gets (error_code, value...) as a tuple instead of an exception.
inline constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// Starts a coroutine that nobody waits for. An exception in it is a programming error.
template <class Executor, class Coroutine>
void spawn(const Executor& executor, Coroutine&& coroutine) {
  asio::co_spawn(executor, std::forward<Coroutine>(coroutine), [](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      panic(e.what());
    }
  });
}

// Suspends for a time.
inline Task<> sleep_for(Clock::duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(use_tuple);
}

// Runs a blocking function on `pool` and resumes on the caller's executor. Capture by reference:
// g++ 12 destroys a temporary lambda that owns something twice when it is handed to a coroutine.
template <class F>
Task<std::invoke_result_t<F>> offload(asio::thread_pool& pool, F function) {
  static_assert(std::is_trivially_destructible_v<F>);
  using R = std::invoke_result_t<F>;
  co_return co_await asio::co_spawn(
      pool.get_executor(), [f = std::move(function)]() mutable -> Task<R> { co_return f(); },
      asio::use_awaitable);
}

}  // namespace kata
