#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include "base/error.h"

namespace kata::network {

// Runs `work` in a thread of its own, which may change what belongs to a thread, and waits for it.
Status run_in_thread(const std::function<void()>& work);

// Runs `work` in a thread of its own that enters the network namespace first and ends afterwards:
// no other code of the process ever finds itself in a foreign namespace. Blocks until it is done.
Status run_in_netns(int netns_fd, const std::function<void()>& work);

// The same for a function that returns a Result.
template <class F>
std::invoke_result_t<F> in_netns(int netns_fd, F work) {
  std::optional<std::invoke_result_t<F>> result;
  TRY_STATUS(run_in_netns(netns_fd, [&] { result.emplace(work()); }));
  return std::move(*result);
}

}  // namespace kata::network
