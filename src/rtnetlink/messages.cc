#include "rtnetlink/messages.h"

#include <linux/rtnetlink.h>

#include "base/utf8.h"

namespace kata::rtnetlink {

namespace {

types::IPFamily family_of(int family) {
  return family == AF_INET6 ? types::v6 : types::v4;
}

}  // namespace

std::string mac_text(const nl_addr* address) {
  char text[64] = "";
  if (!address || nl_addr_get_len(address) == 0) return {};
  nl_addr2str(address, text, sizeof text);
  return text;
}

std::string prefix_text(const nl_addr* address) {
  std::string text = address_text(address);
  if (text.empty()) return text;
  return text + "/" + std::to_string(nl_addr_get_prefixlen(address));
}

types::IPAddress address_message(rtnl_addr* address) {
  types::IPAddress message;
  message.set_family(family_of(rtnl_addr_get_family(address)));
  message.set_address(address_text(rtnl_addr_get_local(address)));
  message.set_mask(std::to_string(rtnl_addr_get_prefixlen(address)));
  return message;
}

bool in_main_table(rtnl_route* route) {
  return rtnl_route_get_table(route) == RT_TABLE_MAIN && rtnl_route_get_nnexthops(route) >= 1;
}

types::Route route_message(rtnl_route* route, nl_cache* links) {
  rtnl_nexthop* hop = rtnl_route_nexthop_n(route, 0);
  types::Route message;
  message.set_dest(prefix_text(rtnl_route_get_dst(route)));
  message.set_gateway(address_text(rtnl_route_nh_get_gateway(hop)));
  // Whoever may make links names them with any bytes.
  message.set_device(to_valid_utf8(name_of_link(links, rtnl_route_nh_get_ifindex(hop))));
  message.set_source(address_text(rtnl_route_get_pref_src(route)));
  message.set_scope(rtnl_route_get_scope(route));
  message.set_family(family_of(rtnl_route_get_family(route)));
  message.set_flags(rtnl_route_nh_get_flags(hop));
  uint32_t mtu = 0;
  if (rtnl_route_get_metric(route, RTAX_MTU, &mtu) == 0) message.set_mtu(mtu);
  return message;
}

types::ARPNeighbor neighbor_message(rtnl_neigh* neighbor, nl_cache* links) {
  types::ARPNeighbor message;
  auto* address = message.mutable_toipaddress();
  address->set_family(family_of(rtnl_neigh_get_family(neighbor)));
  address->set_address(address_text(rtnl_neigh_get_dst(neighbor)));
  message.set_device(to_valid_utf8(name_of_link(links, rtnl_neigh_get_ifindex(neighbor))));
  message.set_lladdr(mac_text(rtnl_neigh_get_lladdr(neighbor)));
  message.set_state(rtnl_neigh_get_state(neighbor));
  message.set_flags(static_cast<int>(rtnl_neigh_get_flags(neighbor)));
  return message;
}

}  // namespace kata::rtnetlink
