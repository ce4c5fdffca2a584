// Small fixed devices: entropy and the channel to the agent.
#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

void add_rng(const Build& build, Arguments* args) {
  if (build.config.entropy_source.empty()) return;
  args->add("-object",
            Props("rng-random").set("id", "rng0").set("filename", build.config.entropy_source));
  args->device(virtio_device(build, "virtio-rng").set("rng", "rng0"));
}

void add_vsock(const Build& build, Arguments* args) {
  const LaunchPlan& plan = build.plan;
  if (plan.vsock_fd < 0) return;
  auto fd = static_cast<uint64_t>(args->pass(plan.vsock_fd));
  if (plan.vsock == LaunchPlan::Vsock::kKernel) {
    args->device(virtio_device(build, "vhost-vsock")
                     .set("vhostfd", fd)
                     .set("id", "vsock-" + std::to_string(plan.guest_cid))
                     .set("guest-cid", plan.guest_cid));
    return;
  }
  args->add("-chardev", Props("socket").set("id", "charvsock0").set("fd", fd));
  args->device(
      vhost_device(build, "vhost-user-vsock").set("chardev", "charvsock0").set("id", "vsock0"));
}

}  // namespace kata::hypervisor::qemu
