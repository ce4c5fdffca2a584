#include "agent/network/interfaces.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <net/if.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "agent/device/pci_path.h"
#include "base/file.h"
#include "base/utf8.h"
#include "rtnetlink/messages.h"
#include "rtnetlink/objects.h"

namespace kata::agent {
namespace {

using namespace rtnetlink;

Status change_link(nl_sock* socket, rtnl_link* link, rtnl_link* change, const std::string& step) {
  if (int code = rtnl_link_change(socket, link, change, 0); code < 0) return fail_nl(step, code);
  return {};
}

NlLink empty_change() {
  return NlLink(rtnl_link_alloc());
}

Status set_up(nl_sock* socket, rtnl_link* link, bool up) {
  NlLink change = empty_change();
  up ? rtnl_link_set_flags(change.get(), IFF_UP) : rtnl_link_unset_flags(change.get(), IFF_UP);
  return change_link(socket, link, change.get(), up ? "bring link up" : "bring link down");
}

Status rename(nl_sock* socket, rtnl_link* link, const std::string& name) {
  NlLink change = empty_change();
  rtnl_link_set_name(change.get(), name.c_str());
  return change_link(socket, link, change.get(), "rename link to " + name);
}

// A link that holds the wanted name steps aside and takes the name that becomes free. Links are
// down while they are renamed, which costs their routes: only for a name that differs.
Status take_name(nl_sock* socket, nl_cache* links, rtnl_link* link, const std::string& name) {
  std::string old = rtnl_link_get_name(link);
  if (name.empty() || old == name) return {};
  TRY_STATUS(set_up(socket, link, false));
  auto holder = link_by_name(links, name);
  if (!holder) return rename(socket, link, name);
  TRY_STATUS(set_up(socket, holder->get(), false));
  TRY_STATUS(rename(socket, holder->get(), name.substr(0, IFNAMSIZ - 6) + "_temp"));
  TRY_STATUS(rename(socket, link, name));
  TRY_STATUS(rename(socket, holder->get(), old));
  if (!(rtnl_link_get_flags(holder->get()) & IFF_UP)) return {};
  return set_up(socket, holder->get(), true);
}

// What `ip` and CNI plugins set: the last address of the network.
Status set_broadcast(rtnl_addr* address, const nl_addr* local) {
  constexpr unsigned kBits = 32, kLongest = 30;
  const unsigned prefix = nl_addr_get_prefixlen(local);
  if (prefix > kLongest) return {};
  uint32_t last = 0;
  memcpy(&last, nl_addr_get_binary_addr(local), sizeof last);
  last |= htonl(static_cast<uint32_t>((uint64_t{1} << (kBits - prefix)) - 1));
  NlAddr broadcast(nl_addr_build(AF_INET, &last, sizeof last));
  if (int code = rtnl_addr_set_broadcast(address, broadcast.get()); code < 0) {
    return fail_nl("broadcast address", code);
  }
  return {};
}

Status add_address(nl_sock* socket, rtnl_link* link, const types::IPAddress& wanted) {
  int family = wanted.family() == types::v6 ? AF_INET6 : AF_INET;
  if (family == AF_INET6 && ipv6_disabled()) return {};
  std::string text = wanted.address();
  if (!wanted.mask().empty()) text += "/" + wanted.mask();
  TRY(NlAddr local, parse_address(text, family));
  NlAddress address(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(address.get(), rtnl_link_get_ifindex(link));
  if (int code = rtnl_addr_set_local(address.get(), local.get()); code < 0) {
    return fail_nl("address " + text, code);
  }
  // The address was checked for duplicates before the VM got it: usable at once, not after a
  // second.
  if (family == AF_INET6) rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
  if (family == AF_INET) TRY_STATUS(set_broadcast(address.get(), local.get()));
  if (int code = rtnl_addr_add(socket, address.get(), NLM_F_CREATE | NLM_F_REPLACE); code < 0) {
    return fail_nl("add address " + text, code);
  }
  return {};
}

Status take_mac(nl_sock* socket, rtnl_link* link, const std::string& wanted) {
  if (wanted.empty()) return {};
  TRY(NlAddr mac, parse_address(wanted, AF_LLC));
  nl_addr* own = rtnl_link_get_addr(link);
  if (own && nl_addr_cmp(own, mac.get()) == 0) return {};
  TRY_STATUS(set_up(socket, link, false));
  NlLink change = empty_change();
  rtnl_link_set_addr(change.get(), mac.get());
  return change_link(socket, link, change.get(), "set MAC");
}

// The link of the device at the PCI path where there is one; else the one that has the MAC; else
// the link of that name gets it (a VM made from a template).
Result<NlLink> find_link(nl_sock* socket, nl_cache* links, const types::Interface& wanted,
                         const std::string& sysfs) {
  if (!wanted.devicepath().empty()) {
    TRY(std::string name, link_at(sysfs, wanted.devicepath()));
    TRY(NlLink link, link_by_name(links, name));
    TRY_STATUS(take_mac(socket, link.get(), wanted.hwaddr()));
    return link;
  }
  auto by_mac = link_by_mac(links, wanted.hwaddr());
  if (by_mac) return by_mac;
  auto by_name = link_by_name(links, wanted.name());
  if (!by_name) return by_mac;
  TRY_STATUS(take_mac(socket, by_name->get(), wanted.hwaddr()));
  return by_name;
}

Status set_attributes(nl_sock* socket, rtnl_link* link, const types::Interface& wanted) {
  NlLink change = empty_change();
  if (wanted.mtu() > 0) rtnl_link_set_mtu(change.get(), static_cast<unsigned>(wanted.mtu()));
  if (wanted.raw_flags() & IFF_NOARP) rtnl_link_set_flags(change.get(), IFF_NOARP);
  rtnl_link_set_flags(change.get(), IFF_UP);
  return change_link(socket, link, change.get(), "set up link");
}

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

bool ipv6_disabled() {
  auto text = read_file("/proc/sys/net/ipv6/conf/all/disable_ipv6");
  return !text || text->starts_with("1");
}

Result<std::string> link_at(const std::string& sysfs, const std::string& pci_path) {
  TRY(PciPath path, PciPath::parse(pci_path));
  auto folder = pci_sysfs_folder(sysfs, path);
  auto below = folder ? list_dir(*folder) : std::vector<std::string>();
  if (!below) below.emplace();
  for (const std::string& entry : *below) {
    if (!entry.starts_with("virtio")) continue;
    auto links = list_dir(*folder + "/" + entry + "/net");
    if (links && !links->empty()) return links->front();
  }
  return fail(Code::kNotFound, "Link not found: no interface at PCI path " + pci_path);
}

Status update_interface(const types::Interface& wanted, const std::string& sysfs) {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  TRY(NlLink link, find_link(socket.get(), links.get(), wanted, sysfs));
  TRY_STATUS(take_name(socket.get(), links.get(), link.get(), wanted.name()));
  for (const auto& address : wanted.ipaddresses()) {
    TRY_STATUS(add_address(socket.get(), link.get(), address));
  }
  return set_attributes(socket.get(), link.get(), wanted);
}

Result<grpc::Interfaces> list_interfaces() {
  TRY(NlSocket socket, open_route_socket());
  TRY(NlCache links, read_links(socket.get()));
  TRY(NlCache addresses, read_addresses(socket.get()));
  grpc::Interfaces list;
  for_each<rtnl_link>(links.get(), [&](rtnl_link* link) {
    auto* entry = list.add_interfaces();
    // A container that may make links names them with any bytes.
    entry->set_name(to_valid_utf8(rtnl_link_get_name(link)));
    entry->set_mtu(rtnl_link_get_mtu(link));
    entry->set_hwaddr(upper_case(mac_text(rtnl_link_get_addr(link))));
    for_each<rtnl_addr>(addresses.get(), [&](rtnl_addr* address) {
      if (rtnl_addr_get_ifindex(address) != rtnl_link_get_ifindex(link)) return;
      *entry->add_ipaddresses() = address_message(address);
    });
  });
  return list;
}

}  // namespace kata::agent
