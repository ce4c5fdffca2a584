#include "network/watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "network/in_netns.h"

namespace kata::network {

namespace {

Result<UniqueFd> open_socket() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return fail_errno("netlink socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno("watch the network namespace");
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<Watch>> Watch::create(asio::any_io_executor executor, int netns_fd) {
  TRY(UniqueFd fd, in_netns(netns_fd, open_socket));
  return std::unique_ptr<Watch>(new Watch(std::move(executor), fd.release()));
}

Task<Status> Watch::changed() {
  if (!socket_.is_open()) co_return fail(Code::kCanceled, "the watch ended");
  auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
  if (error) co_return fail(Code::kCanceled, "the watch ended");
  changed_ = true;
  drain();
  co_return Status{};
}

bool Watch::pending() {
  if (!socket_.is_open()) return false;
  if (changed_) return true;
  pollfd waiting{socket_.native_handle(), POLLIN, 0};
  return poll(&waiting, 1, 0) > 0;
}

void Watch::begin_look() {
  changed_ = false;
  if (socket_.is_open()) drain();
}

void Watch::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// What changed is looked up anew: messages may be lost when there are many.
void Watch::drain() {
  char buffer[8192];
  while (recv(socket_.native_handle(), buffer, sizeof buffer, 0) >= 0 || errno == ENOBUFS ||
         errno == EINTR) {
  }
}

}  // namespace kata::network
