#include "network/in_netns.h"

#include <sched.h>

#include <system_error>
#include <thread>

namespace kata::network {

Status run_in_thread(const std::function<void()>& work) {
  try {
    std::thread(work).join();
  } catch (const std::system_error& error) {
    return fail_errno("start a thread for the network namespace", error.code().value());
  }
  return {};
}

Status run_in_netns(int netns_fd, const std::function<void()>& work) {
  Status entered;
  TRY_STATUS(run_in_thread([&] {
    if (setns(netns_fd, CLONE_NEWNET) < 0) {
      entered = fail_errno("enter the network namespace");
    } else {
      work();
    }
  }));
  return entered;
}

}  // namespace kata::network
