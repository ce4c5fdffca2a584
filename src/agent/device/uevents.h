#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/event.h"
#include "base/unique_fd.h"

namespace kata::agent {

// Fields of one kernel uevent message (facts/agent-behaviour.md section 8.1).
struct Uevent {
  std::string action, devpath, subsystem;
};
// nullopt when the text is not a kernel uevent.
std::optional<Uevent> parse_uevent(std::string_view message);

// Wakes waiters whenever the kernel says that its devices changed. A waiter looks in sysfs, the
// only truth, first and again after every event: a device that was there before, or whose event was
// lost in a full socket buffer, is found all the same. Event-loop thread only.
class UeventMonitor {
 public:
  explicit UeventMonitor(asio::any_io_executor executor)
      : executor_(executor), changed_(executor) {}

  // Opens the netlink socket and starts listening. New CPUs and memory blocks are
  // brought online at once.
  Status start();

  // Looks until `look` answers; `what` names the device in the error after `limit`.
  using Look = std::function<std::optional<std::string>()>;
  Task<Result<std::string>> await_device(std::string what, Look look, Clock::duration limit);

 private:
  Task<> listen(UniqueFd socket);
  void handle(std::string_view message);

  asio::any_io_executor executor_;
  Event changed_;
};

}  // namespace kata::agent
