#include "agent/network/routes.h"

#include <linux/rtnetlink.h>

#include "agent/network/interfaces.h"
#include "rtnetlink/messages.h"
#include "rtnetlink/objects.h"

namespace kata::agent {
namespace {

using namespace rtnetlink;

Result<NlRoute> build_route(nl_cache* links, const types::Route& wanted) {
  int family = wanted.family() == types::v6 ? AF_INET6 : AF_INET;
  TRY(NlLink link, link_by_name(links, wanted.device()));
  NlRoute route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), static_cast<uint8_t>(family));
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), RTPROT_BOOT);
  rtnl_route_set_type(route.get(), RTN_UNICAST);
  rtnl_route_set_scope(route.get(), static_cast<uint8_t>(wanted.scope()));
  std::string any = family == AF_INET6 ? "::/0" : "0.0.0.0/0";
  TRY(NlAddr destination, parse_address(wanted.dest().empty() ? any : wanted.dest(), family));
  rtnl_route_set_dst(route.get(), destination.get());
  if (!wanted.source().empty()) {
    std::string source = wanted.source().substr(0, wanted.source().find('/'));
    TRY(NlAddr preferred, parse_address(source, family));
    rtnl_route_set_pref_src(route.get(), preferred.get());
  }
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_add_nexthop(route.get(), hop);  // now the route's
  rtnl_route_nh_set_ifindex(hop, rtnl_link_get_ifindex(link.get()));
  if (!wanted.gateway().empty()) {
    TRY(NlAddr gateway, parse_address(wanted.gateway(), family));
    rtnl_route_nh_set_gateway(hop, gateway.get());
  }
  constexpr uint32_t kHopFlags = RTNH_F_ONLINK | RTNH_F_PERVASIVE;
  if (wanted.flags() & kHopFlags) rtnl_route_nh_set_flags(hop, wanted.flags() & kHopFlags);
  if (wanted.mtu() > 0) rtnl_route_set_metric(route.get(), RTAX_MTU, wanted.mtu());
  return route;
}

Status add_route(nl_sock* socket, nl_cache* links, const types::Route& wanted) {
  std::string step = "route to " + (wanted.dest().empty() ? "default" : wanted.dest());
  TRY(NlRoute route, in_step(step, build_route(links, wanted)));
  int code = rtnl_route_add(socket, route.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (code < 0 && code != -NLE_EXIST) return fail_nl("add " + step, code);
  return {};
}

Status add_neighbor(nl_sock* socket, nl_cache* links, const types::ARPNeighbor& wanted) {
  int family = wanted.toipaddress().family() == types::v6 ? AF_INET6 : AF_INET;
  TRY(NlLink link, link_by_name(links, wanted.device()));
  TRY(NlAddr address, parse_address(wanted.toipaddress().address(), family));
  NlNeighbor neighbor(rtnl_neigh_alloc());
  rtnl_neigh_set_ifindex(neighbor.get(), rtnl_link_get_ifindex(link.get()));
  rtnl_neigh_set_dst(neighbor.get(), address.get());
  rtnl_neigh_set_state(neighbor.get(), wanted.state() == 0 ? NUD_PERMANENT : wanted.state());
  if (wanted.flags() != 0) {
    rtnl_neigh_set_flags(neighbor.get(), static_cast<unsigned>(wanted.flags()));
  }
  if (!wanted.lladdr().empty()) {
    TRY(NlAddr hardware, parse_address(wanted.lladdr(), AF_LLC));
    rtnl_neigh_set_lladdr(neighbor.get(), hardware.get());
  }
  int code = rtnl_neigh_add(socket, neighbor.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (code < 0) return fail_nl("add neighbour " + wanted.toipaddress().address(), code);
  return {};
}

}  // namespace

Status update_routes(const grpc::Routes& wanted) {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  const bool without_v6 = ipv6_disabled();
  for (bool with_gateway : {false, true}) {
    for (const auto& route : wanted.routes()) {
      if (route.gateway().empty() == with_gateway) continue;
      if (route.family() == types::v6 && without_v6) continue;
      TRY_STATUS(add_route(socket.get(), links.get(), route));
    }
  }
  return {};
}

Result<grpc::Routes> list_routes() {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  TRY(NlCache routes, read_routes(socket.get()));
  grpc::Routes list;
  for_each<rtnl_route>(routes.get(), [&](rtnl_route* route) {
    if (in_main_table(route)) *list.add_routes() = route_message(route, links.get());
  });
  return list;
}

Status add_neighbors(const grpc::ARPNeighbors& neighbors) {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  const bool without_v6 = ipv6_disabled();
  for (const auto& neighbor : neighbors.arpneighbors()) {
    if (neighbor.toipaddress().family() == types::v6 && without_v6) continue;
    TRY_STATUS(add_neighbor(socket.get(), links.get(), neighbor));
  }
  return {};
}

}  // namespace kata::agent
