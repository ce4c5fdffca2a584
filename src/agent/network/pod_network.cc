#include "agent/network/pod_network.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sched.h>

#include "agent/container/namespaces.h"
#include "agent/network/interfaces.h"
#include "agent/network/routes.h"
#include "base/file.h"
#include "rtnetlink/messages.h"
#include "rtnetlink/objects.h"

namespace kata::agent {
namespace {

using namespace rtnetlink;

constexpr char kLoopback[] = "lo";
constexpr char kOwn[] = "/proc/self/ns/net";

Status move_link(nl_sock* socket, rtnl_link* link, int netns) {
  NlLink change(rtnl_link_alloc());
  rtnl_link_set_ns_fd(change.get(), netns);
  if (int code = rtnl_link_change(socket, link, change.get(), 0); code < 0) {
    return fail_nl("move link " + std::string(rtnl_link_get_name(link)), code);
  }
  return {};
}

// Tunnel ends that every network namespace has of its own cannot be moved and need not.
Status move_links(int netns) {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  Status moved;
  for_each<rtnl_link>(links.get(), [&](rtnl_link* link) {
    if (moved && rtnl_link_get_arptype(link) == ARPHRD_ETHER) {
      moved = move_link(socket.get(), link, netns);
    }
  });
  return moved;
}

struct Settings {
  grpc::Interfaces interfaces;
  grpc::Routes routes;
  grpc::ARPNeighbors neighbors;
};

// Of routes and neighbours those that update_routes() and add_neighbors() made; the others come
// back by themselves.
Result<Settings> read_settings() {
  Settings settings;
  TRY(settings.interfaces, list_interfaces());
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  TRY(NlCache routes, read_routes(socket.get()));
  for_each<rtnl_route>(routes.get(), [&](rtnl_route* route) {
    if (!in_main_table(route) || rtnl_route_get_protocol(route) != RTPROT_BOOT) return;
    *settings.routes.add_routes() = route_message(route, links.get());
  });
  TRY(NlCache neighbors, read_neighbors(socket.get()));
  for_each<rtnl_neigh>(neighbors.get(), [&](rtnl_neigh* neighbor) {
    if (!(rtnl_neigh_get_state(neighbor) & NUD_PERMANENT)) return;
    types::ARPNeighbor message = neighbor_message(neighbor, links.get());
    if (message.device() != kLoopback) *settings.neighbors.add_arpneighbors() = std::move(message);
  });
  return settings;
}

Status apply_settings(const Settings& settings) {
  types::Interface loopback;
  loopback.set_name(kLoopback);
  TRY_STATUS(update_interface(loopback));
  for (const types::Interface& interface : settings.interfaces.interfaces()) {
    // Only what has addresses was in use.
    if (interface.name() == kLoopback || interface.ipaddresses().empty()) continue;
    TRY_STATUS(in_step("interface " + interface.name(), update_interface(interface)));
  }
  TRY_STATUS(update_routes(settings.routes));
  return add_neighbors(settings.neighbors);
}

}  // namespace

Result<UniqueFd> move_network(int netns) {
  TRY(UniqueFd outer, open_file(kOwn, O_RDONLY));
  TRY(Settings settings, read_settings());
  TRY_STATUS(move_links(netns));
  if (setns(netns, CLONE_NEWNET) < 0) return fail_errno("enter network namespace");
  TRY_STATUS(apply_settings(settings));
  return outer;
}

bool has_interface(const std::string& mac) {
  auto socket = open_route_socket();
  if (!socket) return false;
  auto links = read_links(socket->get());
  return links && link_by_mac(links->get(), mac).has_value();
}

Status fetch_interface(int outer, types::Interface* wanted) {
  TRY(UniqueFd own, open_file(kOwn, O_RDONLY));
  NamespaceVisit visit;
  TRY_STATUS(visit.enter(CLONE_NEWNET, outer));
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  auto link = link_by_mac(links.get(), wanted->hwaddr());
  if (!wanted->devicepath().empty()) {
    // /sys is mounted for the first namespace: a device that has left shows no link there.
    auto name = link_at("/sys", wanted->devicepath());
    wanted->clear_devicepath();
    if (name) link = link_by_name(links.get(), *name);
  }
  if (!link) return {};
  return move_link(socket.get(), link->get(), own.get());
}

}  // namespace kata::agent
