#include "network/scan.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/log.h"
#include "rtnetlink/messages.h"

namespace kata::network {

namespace {

using namespace rtnetlink;

bool is_tap_of_ours(const std::string& name) {
  constexpr std::string_view kHead = "tap", kTail = "_kata";
  if (!name.starts_with(kHead) || !name.ends_with(kTail)) return false;
  const auto digits = name.substr(kHead.size(), name.size() - kHead.size() - kTail.size());
  return !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
}

bool usable(rtnl_addr* address) {
  constexpr unsigned kUnusable = IFA_F_DADFAILED | IFA_F_TEMPORARY;
  if (!rtnl_addr_get_local(address)) return false;
  const int family = rtnl_addr_get_family(address);
  // For IPv4 the bit of "temporary" says "second one of its network".
  if (family == AF_INET) return true;
  return family == AF_INET6 && !(rtnl_addr_get_flags(address) & kUnusable);
}

// A point-to-point address stands alone; its peer is reached by a route, which the kernel made by
// itself on the host.
types::IPAddress lone_address(rtnl_addr* address, const std::string& link,
                              std::vector<types::Route>* routes) {
  types::IPAddress message = address_message(address);
  nl_addr* peer = rtnl_addr_get_peer(address);
  if (!peer || nl_addr_cmp(peer, rtnl_addr_get_local(address)) == 0) return message;
  types::Route route;
  route.set_dest(prefix_text(peer));
  route.set_device(link);
  route.set_source(message.address());
  route.set_family(message.family());
  if (message.family() == types::v4) route.set_scope(RT_SCOPE_LINK);
  routes->push_back(std::move(route));
  message.set_mask(message.family() == types::v4 ? "32" : "128");
  return message;
}

// Link-local addresses come from the MAC: whoever had the same could not talk anyway.
bool settling(rtnl_addr* address) {
  return rtnl_addr_get_flags(address) & IFA_F_TENTATIVE &&
         rtnl_addr_get_scope(address) != RT_SCOPE_LINK;
}

Link read_link(rtnl_link* link, nl_cache* addresses, std::vector<types::Route>* routes) {
  Link out;
  out.name = rtnl_link_get_name(link);
  if (const char* kind = rtnl_link_get_type(link)) out.kind = kind;
  out.index = rtnl_link_get_ifindex(link);
  out.mtu = rtnl_link_get_mtu(link);
  out.mac = mac_text(rtnl_link_get_addr(link));
  out.flags = rtnl_link_get_flags(link);
  for_each<rtnl_addr>(addresses, [&](rtnl_addr* address) {
    if (rtnl_addr_get_ifindex(address) != out.index || !usable(address)) return;
    // One more than is accepted: read_link() fails no scan.
    if (out.addresses.size() > kMaxAddresses) return;
    out.addresses.push_back(lone_address(address, out.name, routes));
    out.settling = out.settling || settling(address);
  });
  return out;
}

// A name goes to the guest in a protobuf string and into texts.
bool plain_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

Status check_link(rtnl_link* raw, const Link& link) {
  if (!plain_name(link.name)) {
    return fail(Code::kInvalidArgument, "interface " + std::to_string(link.index) +
                                            " has a name that is not printable ASCII: rename it");
  }
  if (rtnl_link_get_arptype(raw) != ARPHRD_ETHER || link.mac.empty()) {
    std::string kind = link.kind.empty() ? "" : " (" + link.kind + ")";
    return fail(Code::kInvalidArgument,
                "Unsupported network interface: " + link.name + kind +
                    " carries no Ethernet frames, so a VM cannot take it over; take it out of the "
                    "network namespace or remove its addresses");
  }
  if (link.addresses.size() > kMaxAddresses) {
    return fail(Code::kResourceExhausted, "interface " + link.name + " has more than " +
                                              std::to_string(kMaxAddresses) + " addresses");
  }
  return {};
}

// Whether the link can be had together with those of before.
Status check_beside(const std::vector<Link>& others, const Link& link) {
  if (others.size() == kMaxLinks) {
    return fail(Code::kResourceExhausted,
                "interface " + link.name +
                    " is one too many: the network namespace has more than " +
                    std::to_string(kMaxLinks) + " interfaces with addresses, a VM cannot");
  }
  auto twin = std::ranges::find(others, link.mac, &Link::mac);
  if (twin == others.end()) return {};
  return fail(Code::kInvalidArgument, "interfaces " + twin->name + " and " + link.name +
                                          " have the same MAC " + link.mac +
                                          ", by which the guest tells them apart: change one");
}

// What a port of a bridge, bond or team carries is theirs; a member of a VRF stands for itself.
bool is_port(rtnl_link* link, nl_cache* links) {
  const int master = rtnl_link_get_master(link);
  if (master == 0) return false;
  NlLink above(rtnl_link_get(links, master));
  const char* kind = above ? rtnl_link_get_type(above.get()) : nullptr;
  return !kind || std::string_view(kind) != "vrf";
}

bool counts(rtnl_link* link, nl_cache* links, const Link& read) {
  if (rtnl_link_get_flags(link) & IFF_LOOPBACK || is_port(link, links)) return false;
  return !read.addresses.empty() && !is_tap_of_ours(read.name);
}

void scan_links(nl_cache* links, nl_cache* addresses, Scan* out) {
  std::map<int, rtnl_link*> oldest_first;
  for_each<rtnl_link>(links, [&](rtnl_link* raw) {
    oldest_first[rtnl_link_get_ifindex(raw)] = raw;
    out->present[rtnl_link_get_ifindex(raw)] = rtnl_link_get_name(raw);
  });
  for (const auto& [index, raw] : oldest_first) {
    std::vector<types::Route> to_peers;
    Link link = read_link(raw, addresses, &to_peers);
    if (!counts(raw, links, link)) continue;
    Status good = check_link(raw, link);
    if (good) good = check_beside(out->links, link);
    if (!good) {
      out->refused.push_back({link.name, index, std::move(good.error())});
      continue;
    }
    std::ranges::move(to_peers, std::back_inserter(out->routes));
    out->links.push_back(std::move(link));
  }
  std::ranges::sort(out->links, {}, &Link::name);
}

// Addresses make the kernel's own routes; other tables have rules that a guest does not get.
bool wanted(rtnl_route* route) {
  const int family = rtnl_route_get_family(route);
  return (family == AF_INET || family == AF_INET6) && in_main_table(route) &&
         rtnl_route_get_type(route) == RTN_UNICAST &&
         rtnl_route_get_protocol(route) != RTPROT_KERNEL &&
         !(rtnl_route_get_flags(route) & RTM_F_CLONED);
}

// Static entries, and a default gateway that is known already: the guest need not ask again.
bool wanted(rtnl_neigh* neighbor, const std::string& address,
            const std::set<std::string>& gateways) {
  const int family = rtnl_neigh_get_family(neighbor);
  if (family != AF_INET && family != AF_INET6) return false;
  const int state = rtnl_neigh_get_state(neighbor);
  return state & NUD_PERMANENT || (state & NUD_REACHABLE && gateways.contains(address));
}

template <class Message>
Status add_bounded(std::vector<Message>* list, Message entry, const char* what) {
  if (list->size() == kMaxEntries) {
    return fail(Code::kResourceExhausted, std::string("the network namespace has more than ") +
                                              std::to_string(kMaxEntries) + " " + what);
  }
  list->push_back(std::move(entry));
  return {};
}

bool has_link(const Scan& scan, const std::string& name) {
  return std::ranges::any_of(scan.links, [&](const Link& link) { return link.name == name; });
}

// The agent's message has a gateway of the route's own family and nothing else on the way.
bool needs_more_than_an_address(rtnl_route* route) {
  rtnl_nexthop* hop = rtnl_route_nexthop_n(route, 0);
  return rtnl_route_nh_get_via(hop) || rtnl_route_nh_get_encap_mpls_dst(hop);
}

// The agent's message has no metric: of several routes to one place the best one goes.
std::string destination(const types::Route& route) {
  return (route.family() == types::v6 ? "v6 " : "v4 ") + route.dest();
}

auto same_destination(const types::Route& route) {
  return [place = destination(route)](const types::Route& other) {
    return destination(other) == place;
  };
}

Status scan_routes(nl_sock* socket, nl_cache* links, Scan* out) {
  TRY(NlCache routes, read_routes(socket));
  Status full;
  std::map<std::string, uint32_t> metrics;
  for_each<rtnl_route>(routes.get(), [&](rtnl_route* route) {
    if (!full || !wanted(route)) return;
    types::Route message = route_message(route, links);
    if (!has_link(*out, message.device())) return;
    if (needs_more_than_an_address(route)) {
      log::warn(
          "a route with an encapsulation or with a gateway of the other family stays on the "
          "host",
          {{"route", message.dest().empty() ? "default" : message.dest()}});
      return;
    }
    if (rtnl_route_get_nnexthops(route) > 1) {
      log::warn("only the first next hop of a route reaches the guest",
                {{"route", message.dest().empty() ? "default" : message.dest()}});
    }
    const uint32_t metric = rtnl_route_get_priority(route);
    auto [best, fresh] = metrics.emplace(destination(message), metric);
    if (!fresh && best->second <= metric) return;
    if (!fresh) std::erase_if(out->routes, same_destination(message));
    best->second = metric;
    full = add_bounded(&out->routes, std::move(message), "routes");
  });
  return full;
}

Status scan_neighbors(nl_sock* socket, nl_cache* links, Scan* out) {
  TRY(NlCache neighbors, read_neighbors(socket));
  std::set<std::string> gateways;
  for (const auto& route : out->routes) {
    if (route.dest().empty()) gateways.insert(route.gateway());
  }
  Status full;
  for_each<rtnl_neigh>(neighbors.get(), [&](rtnl_neigh* neighbor) {
    if (!full || !wanted(neighbor, address_text(rtnl_neigh_get_dst(neighbor)), gateways)) return;
    types::ARPNeighbor message = neighbor_message(neighbor, links);
    if (!has_link(*out, message.device())) return;
    full = add_bounded(&out->neighbors, std::move(message), "neighbours");
  });
  return full;
}

}  // namespace

Result<Scan> scan() {
  Scan out;
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  TRY(NlCache addresses, read_addresses(socket.get()));
  scan_links(links.get(), addresses.get(), &out);
  if (out.links.empty()) return out;
  TRY_STATUS(scan_routes(socket.get(), links.get(), &out));
  TRY_STATUS(scan_neighbors(socket.get(), links.get(), &out));
  return out;
}

types::Interface guest_interface(const Link& link) {
  types::Interface message;
  message.set_device(link.name);
  message.set_name(link.name);
  for (const auto& address : link.addresses) *message.add_ipaddresses() = address;
  message.set_mtu(link.mtu);
  message.set_hwaddr(link.mac);
  message.set_type(link.kind);
  message.set_raw_flags(link.flags & IFF_NOARP);
  return message;
}

std::string tap_name(size_t index) {
  return "tap" + std::to_string(index) + "_kata";
}

}  // namespace kata::network
