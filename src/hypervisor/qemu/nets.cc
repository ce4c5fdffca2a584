#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {

namespace {

std::string pass_all(const std::vector<UniqueFd>& fds, Arguments* args) {
  std::string numbers;
  for (const UniqueFd& fd : fds) {
    if (!numbers.empty()) numbers.push_back(':');
    numbers += std::to_string(args->pass(fd.get()));
  }
  return numbers;
}

}  // namespace

void add_nets(const Build& build, Arguments* args) {
  for (const NetDevice& net : build.config.nets) {
    Props backend("tap");
    backend.set("id", net.id);
    if (!net.vhost_fds.empty()) {
      backend.flag("vhost", true).set("vhostfds", pass_all(net.vhost_fds, args));
    }
    backend.set("fds", pass_all(net.tap_fds, args));
    args->add("-netdev", backend);
    Props device = virtio_device(build, "virtio-net");
    device.set("id", "virtio-" + net.id).set("netdev", net.id).set("mac", net.mac);
    if (net.mtu != 0) device.set("host_mtu", net.mtu);
    size_t queues = net.tap_fds.size();
    if (queues > 1) device.flag("mq", true);
    if (queues > 1 && !build.microvm()) device.set("vectors", 2 * queues + 2);
    args->device(device);
  }
}

}  // namespace kata::hypervisor::qemu
