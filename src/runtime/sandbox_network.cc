// The network of a sandbox: its steps of create(), and what comes and goes later.
#include "base/log.h"
#include "runtime/guest_network.h"
#include "runtime/netns.h"
#include "runtime/sandbox.h"
#include "runtime/sizing.h"

namespace kata::runtime {

namespace {

// A tool that fills a namespace makes several changes one after the other.
constexpr Clock::duration kSettle = 100ms;

// A queue per vCPU is what a guest can use; each costs the VMM descriptors.
network::Settings network_settings(const config::Config& config, const VmSize& size) {
  constexpr uint32_t kMaxQueues = 16;
  const auto& hypervisor = config.hypervisor;
  network::Settings settings;
  settings.model = config.runtime.internetworking_model;
  settings.queues = hypervisor.network_queues > 1 ? static_cast<uint32_t>(hypervisor.network_queues)
                                                  : std::clamp(size.vcpus, 1U, kMaxQueues);
  settings.vhost = !hypervisor.disable_vhost_net;
  return settings;
}

// A guest that refused once may be busy: it is asked again after 1, 2, 4, 8 and 16 s.
constexpr Clock::duration kFirstRetry = 1s;
constexpr Clock::duration kLastRetry = 16s;

}  // namespace

Task<Status> Sandbox::check_network() {
  // Refused before any link is looked at: in a VM the host's network cannot be had.
  CO_TRY(netns_, co_await offload(pool_, [this] { return sandbox_netns(request_.spec); }));
  // The VMM stays in the shim's own namespace and the guest has loopback alone.
  if (config_.config.runtime.disable_new_netns) netns_ = {};
  co_return Status{};
}

// Before the VM boots: its NICs are there from the first moment.
Task<Status> Sandbox::connect_network() {
  if (!netns_.fd) co_return Status{};
  CO_TRY(VmSize size, boot_size(request_.spec, config_.config.hypervisor));
  const auto settings = network_settings(config_.config, size);
  CO_TRY(network_, co_await offload(pool_, [&] {
           return network::SandboxNetwork::create(std::move(netns_), settings, *journal_);
         }));
  CO_TRY(network_watch_, co_await offload(pool_, [this] {
           return network::Watch::create(executor_, network_->netns_fd());
         }));
  CO_TRY(auto change, co_await offload(pool_, [this] { return network_->refresh(); }));
  nets_ = std::move(change.added);
  co_return Status{};
}

Task<Status> Sandbox::give_network() {
  if (!network_) co_return Status{};
  co_return co_await runtime::give_network(*agent_, network_->guest(), &network_told_);
}

Task<> Sandbox::watch_network(std::shared_ptr<Sandbox> self) {
  while (self->network_watch_) {
    auto changed = co_await self->network_watch_->changed();
    if (!changed) co_return;
    co_await sleep_for(kSettle);
    // The start of a container may have looked meanwhile.
    if (self->network_watch_->pending()) co_await self->refresh_network();
  }
}

Task<> Sandbox::settle_network() {
  if (!network_watch_) co_return;
  if (network_change_ || network_watch_->pending()) co_await refresh_network();
}

Task<> Sandbox::refresh_network() {
  auto self = shared_from_this();
  while (network_change_) {
    Event other = *network_change_;
    co_await other.wait();
  }
  if (stopping_ || !death_reason_.empty()) co_return;
  Event over(executor_);
  network_change_ = over;
  network_watch_->begin_look();
  auto applied = co_await apply_network_changes();
  network_behind_ = !applied && !stopping_ && death_reason_.empty();
  if (network_behind_) {
    log::failure("a change of the network does not reach the guest", applied.error());
    if (!std::exchange(network_retrying_, true)) spawn(executor_, retry_network(self));
  }
  network_change_.reset();
  over.set();
}

Task<> Sandbox::retry_network(std::weak_ptr<Sandbox> weak) {
  for (auto pause = kFirstRetry; pause <= kLastRetry; pause *= 2) {
    co_await sleep_for(pause);
    auto self = weak.lock();
    if (!self) co_return;
    if (self->network_behind_) co_await self->refresh_network();
    if (!self->network_behind_) break;
  }
  if (auto self = weak.lock()) self->network_retrying_ = false;
}

Task<Status> Sandbox::apply_network_changes() {
  CO_TRY(auto change, co_await offload(pool_, [this] { return network_->refresh(); }));
  for (const auto& refusal : change.refused) {
    log::failure("an interface does not reach the guest", refusal.why);
  }
  for (const std::string& device : change.removed) co_await unplug_net(device);
  for (auto& device : change.added) co_await plug_net(std::move(device));
  co_return co_await give_network();
}

Task<> Sandbox::plug_net(hypervisor::NetDevice device) {
  const std::string id = device.id;
  auto path = co_await vm_->add_net(std::move(device));
  if (path) {
    network_->set_path(id, std::move(*path));
    co_return;
  }
  log::failure("an interface does not reach the guest: hot plug", path.error(), {{"device", id}});
  auto released = co_await offload(pool_, [&] { return network_->give_up(id); });
  if (!released) log::failure("an interface stays tied", released.error());
}

Task<> Sandbox::unplug_net(std::string device) {
  if (boot_nets_.contains(device)) {
    auto cut = co_await vm_->disconnect_net(device);
    if (!cut) log::failure("the guest does not hear that its link is down", cut.error());
    log::info("an interface is gone, its device stays in the VM without a link",
              {{"device", device}});
  } else {
    auto removed = co_await vm_->remove_net(device);
    if (!removed) log::failure("a network device stays in the VM", removed.error());
  }
  auto released = co_await offload(pool_, [&] { return network_->release(device); });
  if (!released) log::failure("an interface stays tied", released.error());
}

}  // namespace kata::runtime
