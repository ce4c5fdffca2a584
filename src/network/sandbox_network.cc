#include "network/sandbox_network.h"

#include <net/if.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <thread>

#include "base/log.h"
#include "network/in_netns.h"
#include "network/macvtap.h"
#include "network/redirect.h"
#include "network/tap.h"
#include "network/undo.h"

namespace kata::network {

namespace {

using namespace rtnetlink;
using config::NetworkModel;
using hypervisor::NetDevice;

// A tap of the pod's own: a VMM opens it by itself.
bool is_tap(const Link& link) {
  return link.kind == "tun";
}

// The index of the tap, brought up with the MTU of what it stands for.
Result<int> set_up(nl_sock* socket, const std::string& tap, uint32_t mtu) {
  TRY(NlCache links, read_links(socket));
  TRY(NlLink link, link_by_name(links.get(), tap));
  NlLink change(rtnl_link_alloc());
  rtnl_link_set_mtu(change.get(), mtu);
  rtnl_link_set_flags(change.get(), IFF_UP);
  if (int code = rtnl_link_change(socket, link.get(), change.get(), 0); code < 0) {
    return fail_nl("bring " + tap + " up with MTU " + std::to_string(mtu), code);
  }
  return rtnl_link_get_ifindex(link.get());
}

// The first number from `number` on whose tap name is free.
size_t free_number(size_t number, const Scan& scan) {
  auto taken = [&] {
    return std::ranges::any_of(scan.present,
                               [&](const auto& link) { return link.second == tap_name(number); });
  };
  while (taken()) ++number;
  return number;
}

// Equal as long as nothing changes that may make the link acceptable.
std::string properties(const Link& link) {
  return guest_interface(link).SerializeAsString();
}

Error ingress_is_taken() {
  return Error(Code::kAlreadyExists,
               "it has an ingress qdisc already: another VM uses this network namespace, or a tool "
               "shapes its traffic; give the sandbox a namespace of its own");
}

}  // namespace

Result<std::unique_ptr<SandboxNetwork>> SandboxNetwork::create(Netns netns, Settings settings,
                                                               Journal& journal) {
  if (settings.model == NetworkModel::kL3Forwarding) {
    return fail(Code::kUnimplemented,
                "internetworking_model = \"l3forwarding\" is not supported; use \"tcfilter\"");
  }
  TRY(NetnsId id, identify(netns));
  return std::unique_ptr<SandboxNetwork>(
      new SandboxNetwork(std::move(netns), std::move(id), settings, journal));
}

Result<Change> SandboxNetwork::refresh() {
  return in_netns(netns_.fd.get(), [this] { return refresh_here(); });
}

// A newcomer is waited for while its addresses are checked for duplicates: once it is tied to the
// VM its frames bypass the host, and the guest is told to use them at once.
Result<Scan> SandboxNetwork::settled_scan() const {
  constexpr int kTries = 20;
  constexpr auto kPause = std::chrono::milliseconds(100);
  for (int attempt = 0;; ++attempt) {
    TRY(Scan found, in_step("scan the network namespace", scan()));
    const bool settled = std::ranges::none_of(found.links, [this](const Link& link) {
      return link.settling && !find(link.index) && !refused_.contains(link.index);
    });
    if (settled || attempt == kTries) return found;
    std::this_thread::sleep_for(kPause);
  }
}

Result<Change> SandboxNetwork::refresh_here() {
  TRY(Scan found, settled_scan());
  TRY(NlSocket socket, open_route_socket());
  Change change;
  // An interface that merely has no address for a moment is not gone.
  for (const Endpoint& endpoint : endpoints_) {
    if (!found.present.contains(endpoint.link)) change.removed.push_back(endpoint.device);
  }
  note_refused(found, &change);
  if (!first_ || change.refused.empty()) connect_new(socket.get(), found, &change);
  if (first_ && !change.refused.empty()) {
    for (const NetDevice& device : change.added) release_or_log(device.id);
    refused_.clear();
    return std::unexpected(std::move(change.refused.front().why));
  }
  first_ = false;
  scan_ = std::move(found);
  return change;
}

void SandboxNetwork::note_refused(const Scan& scan, Change* change) {
  std::erase_if(refused_, [&](const auto& entry) { return !scan.present.contains(entry.first); });
  for (const Refusal& refusal : scan.refused) {
    std::string& known = refused_[refusal.index];
    if (known == refusal.why.message()) continue;
    known = refusal.why.message();
    change->refused.push_back(refusal);
  }
}

void SandboxNetwork::connect_new(nl_sock* socket, const Scan& scan, Change* change) {
  for (const Link& link : scan.links) {
    if (find(link.index)) continue;
    std::string now = properties(link);
    // Another try would end as the last one did, and tell of its own tap: without end.
    if (auto at = refused_.find(link.index); at != refused_.end() && at->second == now) continue;
    refused_.erase(link.index);
    Endpoint endpoint{link.index, "network-" + std::to_string(next_device_), {}, {}};
    auto device = connect(socket, link, scan, &endpoint);
    endpoints_.push_back(std::move(endpoint));
    if (!device) {
      release_or_log(endpoints_.back().device);
      Status failed =
          in_step("connect interface " + link.name, Status(std::unexpect, device.error()));
      change->refused.push_back({link.name, link.index, std::move(failed.error())});
      refused_[link.index] = std::move(now);
      continue;
    }
    ++next_device_;
    change->added.push_back(std::move(*device));
  }
}

void SandboxNetwork::release_or_log(const std::string& device) {
  auto released = release(device);
  if (!released) log::failure("an interface stays tied", released.error());
}

const SandboxNetwork::Endpoint* SandboxNetwork::find(int link) const {
  auto found = std::ranges::find(endpoints_, link, &Endpoint::link);
  return found == endpoints_.end() ? nullptr : &*found;
}

Result<NetDevice> SandboxNetwork::connect(nl_sock* socket, const Link& link, const Scan& scan,
                                          Endpoint* endpoint) {
  NetDevice device;
  device.id = endpoint->device;
  device.mac = link.mac;
  if (is_tap(link)) {
    TRY(device.tap_fds, open_tap(link.name, settings_.queues));
  } else {
    TRY_STATUS(check_link(socket, link));
    TRY(device.tap_fds, tap_for(socket, link, scan, endpoint));
  }
  if (settings_.vhost) device.vhost_fds = open_vhost_net(device.tap_fds.size());
  return device;
}

// What would fail anyway fails before a tap is made.
Status SandboxNetwork::check_link(nl_sock* socket, const Link& link) const {
  if (link.mtu > kMaxTapMtu) {
    return fail(Code::kInvalidArgument, "its MTU " + std::to_string(link.mtu) + " is above " +
                                            std::to_string(kMaxTapMtu) +
                                            ", the most that a tap can have: lower it");
  }
  if (settings_.model != NetworkModel::kTcFilter) return {};
  TRY(bool taken, has_ingress(socket, link.index));
  if (taken) return std::unexpected(ingress_is_taken());
  return {};
}

Result<std::vector<UniqueFd>> SandboxNetwork::tap_for(nl_sock* socket, const Link& link,
                                                      const Scan& scan, Endpoint* endpoint) {
  // A name may be taken between the scan and now.
  constexpr int kTries = 4;
  size_t number = next_device_;
  for (int attempt = 1;; ++attempt, ++number) {
    number = free_number(number, scan);
    const std::string tap = tap_name(number);
    TRY_STATUS(note(endpoint, tap_entry(id_, tap)));
    auto fds = make_tap_for(socket, link, tap);
    if (!fds) {
      // The name may be somebody else's by now.
      TRY_STATUS(strike(endpoint));
      if (fds.error().code() == Code::kAlreadyExists && attempt < kTries) continue;
      return fds;
    }
    TRY(int index, set_up(socket, tap, link.mtu));
    if (settings_.model == NetworkModel::kTcFilter) TRY_STATUS(tie(socket, link, index, endpoint));
    return fds;
  }
}

Result<std::vector<UniqueFd>> SandboxNetwork::make_tap_for(nl_sock* socket, const Link& link,
                                                           const std::string& tap) {
  if (settings_.model != NetworkModel::kMacvtap) return make_tap(tap, settings_.queues);
  return make_macvtap(socket, tap, link, settings_.queues);
}

Status SandboxNetwork::tie(nl_sock* socket, const Link& link, int tap, Endpoint* endpoint) {
  TRY_STATUS(note(endpoint, ingress_entry(id_, link.index)));
  auto tied = redirect(socket, link.index, tap);
  if (!tied && tied.error().code() == Code::kAlreadyExists) {
    // Somebody else's: it is not ours to remove.
    TRY_STATUS(strike(endpoint));
    return std::unexpected(ingress_is_taken());
  }
  TRY_STATUS(std::move(tied));
  return redirect(socket, tap, link.index);
}

Status SandboxNetwork::note(Endpoint* endpoint, journal::Entry entry) {
  TRY_STATUS(journal_.add(entry));
  endpoint->entries.push_back(std::move(entry));
  return {};
}

Status SandboxNetwork::strike(Endpoint* endpoint) {
  TRY_STATUS(journal_.done(endpoint->entries.back()));
  endpoint->entries.pop_back();
  return {};
}

Status SandboxNetwork::release(const std::string& device) {
  auto endpoint = std::ranges::find(endpoints_, device, &Endpoint::device);
  if (endpoint == endpoints_.end()) return {};
  const auto undo = undoers(netns_.fd.get());
  while (!endpoint->entries.empty()) {
    const journal::Entry& entry = endpoint->entries.back();
    TRY_STATUS(undo.at(entry.kind)(entry));
    TRY_STATUS(strike(&*endpoint));
  }
  endpoints_.erase(endpoint);
  return {};
}

Status SandboxNetwork::give_up(const std::string& device) {
  auto endpoint = std::ranges::find(endpoints_, device, &Endpoint::device);
  if (endpoint == endpoints_.end()) return {};
  auto link = std::ranges::find(scan_.links, endpoint->link, &Link::index);
  if (link != scan_.links.end()) refused_[link->index] = properties(*link);
  return release(device);
}

void SandboxNetwork::set_path(const std::string& device, std::string pci_path) {
  auto endpoint = std::ranges::find(endpoints_, device, &Endpoint::device);
  if (endpoint != endpoints_.end()) endpoint->pci_path = std::move(pci_path);
}

GuestNetwork SandboxNetwork::guest() const {
  GuestNetwork out;
  std::set<std::string> names;
  for (const Link& link : scan_.links) {
    const Endpoint* endpoint = find(link.index);
    if (!endpoint) continue;
    types::Interface message = guest_interface(link);
    message.set_devicepath(endpoint->pci_path);
    names.insert(link.name);
    out.interfaces.push_back({endpoint->device, std::move(message)});
  }
  // The agent gives up at the first link that the guest does not have.
  auto has_device = [&](const auto& entry) { return names.contains(entry.device()); };
  std::ranges::copy_if(scan_.routes, std::back_inserter(out.routes), has_device);
  std::ranges::copy_if(scan_.neighbors, std::back_inserter(out.neighbors), has_device);
  return out;
}

}  // namespace kata::network
