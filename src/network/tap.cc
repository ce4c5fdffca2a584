#include "network/tap.h"

// The legacy part of its header is C, not C++.
#define VIRTIO_RING_NO_LEGACY

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>

#include "base/file.h"

namespace kata::network {

namespace {

constexpr char kTun[] = "/dev/net/tun";
constexpr char kVhostNet[] = "/dev/vhost-net";
// Frames without a packet header but with the one that carries offloads.
constexpr int kTapFlags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

// /dev/net/tun belongs to the namespace of the thread that opens it.
Result<UniqueFd> open_queue(const std::string& name, int flags) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    return fail(Code::kInvalidArgument, "tap name " + name + " is too long");
  }
  TRY(UniqueFd fd, open_file(kTun, O_RDWR | O_NONBLOCK));
  memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(fd.get(), TUNSETIFF, &request) < 0) {
    const int reason = errno;
    // IFF_TUN_EXCL and a name that is taken.
    if (reason == EBUSY) return fail(Code::kAlreadyExists, "tap " + name + ": name in use");
    return fail_errno("make tap " + name, reason);
  }
  return fd;
}

Result<std::vector<UniqueFd>> open_queues(const std::string& name, uint32_t queues, int flags,
                                          int first_flags) {
  std::vector<UniqueFd> fds;
  for (uint32_t i = 0; i < queues; ++i) {
    TRY(UniqueFd fd, open_queue(name, i == 0 ? flags | first_flags : flags));
    fds.push_back(std::move(fd));
  }
  return fds;
}

}  // namespace

Result<std::vector<UniqueFd>> make_tap(const std::string& name, uint32_t queues) {
  // Multi-queue also for one queue, as upstream has it: vCPUs may come later.
  return open_queues(name, queues, kTapFlags | IFF_MULTI_QUEUE, IFF_TUN_EXCL);
}

Result<std::vector<UniqueFd>> open_tap(const std::string& name, uint32_t queues) {
  auto many = open_queues(name, queues, kTapFlags | IFF_MULTI_QUEUE, 0);
  if (many || many.error().sys_errno() != EINVAL) return many;
  return open_queues(name, 1, kTapFlags, 0);
}

Status set_queue_flags(int fd) {
  ifreq request{};
  request.ifr_flags = static_cast<short>(kTapFlags | IFF_MULTI_QUEUE);
  if (ioctl(fd, TUNSETIFF, &request) < 0) return fail_errno("set up the queue of a macvtap");
  return {};
}

std::vector<UniqueFd> open_vhost_net(size_t queues) {
  std::vector<UniqueFd> fds;
  for (size_t i = 0; i < queues; ++i) {
    UniqueFd fd(open(kVhostNet, O_RDWR | O_CLOEXEC));
    uint64_t features = 0;
    if (!fd || ioctl(fd.get(), VHOST_GET_FEATURES, &features) < 0) return {};
    fds.push_back(std::move(fd));
  }
  return fds;
}

}  // namespace kata::network
