// Opening the agent channel: the kernel's vhost-vsock where it works, else our own back end.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "hypervisor/qemu/qemu.h"

namespace kata::hypervisor::qemu {

namespace {

// VHOST_VSOCK_SET_GUEST_CID; <linux/vhost.h> of Debian 12 is not valid C++.
constexpr unsigned long kSetGuestCid = _IOW(0xAF, 0x60, uint64_t);
constexpr int kCidTries = 64;
constexpr uint32_t kFirstCid = 3;

uint32_t random_cid() {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) value = 0;
  // VMADDR_CID_ANY is the largest value.
  return kFirstCid + value % (UINT32_MAX - kFirstCid);
}

}  // namespace

Status Qemu::open_vsock(Channels* channels) {
  if (config_.vsock != VsockBackend::kVhostUser) {
    Status opened = open_kernel_vsock(channels);
    if (opened || config_.vsock == VsockBackend::kKernel) return opened;
  }
  vsock::VhostUserVsock::Options options;
  options.uds_path = config_.vsock_uds.empty() ? config_.vm_dir + "/vsock.sock" : config_.vsock_uds;
  options.guest_cid = plan_.guest_cid;
  TRY(auto device, vsock::VhostUserVsock::create(executor_, options));
  endpoint_.kind = AgentEndpoint::Kind::kInProcess;
  endpoint_.uds_path = options.uds_path;
  endpoint_.device = std::move(device);
  plan_.vsock = LaunchPlan::Vsock::kVhostUser;
  TRY(channels->vsock_child, endpoint_.device->make_front_end());
  return {};
}

Status Qemu::open_kernel_vsock(Channels* channels) {
  UniqueFd fd(open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC));
  if (!fd) return fail_errno("open /dev/vhost-vsock");
  for (int i = 0; i < kCidTries; ++i) {
    uint64_t cid = random_cid();
    // The open descriptor holds the CID from here on.
    if (ioctl(fd.get(), kSetGuestCid, &cid) == 0) {
      plan_.vsock = LaunchPlan::Vsock::kKernel;
      plan_.guest_cid = static_cast<uint32_t>(cid);
      endpoint_.kind = AgentEndpoint::Kind::kVsock;
      endpoint_.cid = plan_.guest_cid;
      channels->vsock_child = std::move(fd);
      return {};
    }
    if (errno != EADDRINUSE) return fail_errno("claim a vsock CID");
  }
  return fail(Code::kResourceExhausted, "no free vsock CID found");
}

}  // namespace kata::hypervisor::qemu
