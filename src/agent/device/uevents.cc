#include "agent/device/uevents.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"

namespace kata::agent {
namespace {

constexpr size_t kMaxMessage = 16384;

// One message whose sender is the kernel (port 0); empty when there is none or it is foreign.
Result<std::string> receive(int socket) {
  std::string message(kMaxMessage, '\0');
  sockaddr_nl sender{};
  iovec part{message.data(), message.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof sender;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t n = recvmsg(socket, &header, MSG_DONTWAIT);
  if (n < 0) return fail_errno("receive uevent");
  message.resize(sender.nl_pid == 0 ? static_cast<size_t>(n) : 0);
  return message;
}

}  // namespace

std::optional<Uevent> parse_uevent(std::string_view message) {
  Uevent event;
  while (!message.empty()) {
    std::string_view field = message.substr(0, message.find('\0'));
    message.remove_prefix(std::min(message.size(), field.size() + 1));
    for (auto [key, out] :
         {std::pair{"ACTION=", &event.action}, std::pair{"DEVPATH=", &event.devpath},
          std::pair{"SUBSYSTEM=", &event.subsystem}}) {
      std::string_view name = key;
      if (field.starts_with(name)) *out = field.substr(name.size());
    }
  }
  if (event.action.empty() || event.devpath.empty()) return std::nullopt;
  return event;
}

Status UeventMonitor::start() {
  UniqueFd fd(
      socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd) return fail_errno("uevent socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno("bind uevent socket");
  }
  spawn(executor_, listen(std::move(fd)));
  return {};
}

Task<> UeventMonitor::listen(UniqueFd socket) {
  while (true) {
    auto ready = co_await wait_readable(socket.get());
    if (!ready) {
      log::failure("uevents end", ready.error());
      co_return;
    }
    auto message = receive(socket.get());
    // ENOBUFS: events were lost, so anything may have changed.
    if (!message && message.error().sys_errno() != ENOBUFS) continue;
    if (message) handle(*message);
    Event waiters = std::move(changed_);
    changed_ = Event(executor_);
    waiters.set();
  }
}

void UeventMonitor::handle(std::string_view message) {
  auto event = parse_uevent(message);
  if (!event || event->action != "add") return;
  if (event->subsystem != "memory" && event->subsystem != "cpu") return;
  std::string file = "/sys" + event->devpath + "/online";
  if (auto state = read_file(file); !state || state->starts_with("1")) return;
  if (auto done = write_existing(file, "1"); !done)
    log::failure("new " + event->subsystem, done.error());
}

Task<Result<std::string>> UeventMonitor::await_device(std::string what, Look look,
                                                      Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  while (true) {
    if (auto found = look()) co_return *found;
    Event next = changed_;
    auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero()) {
      auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
      co_return fail(Code::kDeadlineExceeded,
                     what + " did not appear within " + std::to_string(seconds) + " s");
    }
    co_await next.wait_for(left);
  }
}

}  // namespace kata::agent
