#include "rtnetlink/objects.h"

#include <arpa/inet.h>
#include <netlink/errno.h>

#include <strings.h>

namespace kata::rtnetlink {
namespace {

int errno_of(int code) {
  switch (code < 0 ? -code : code) {
    case NLE_EXIST:
      return EEXIST;
    case NLE_NOADDR:
    case NLE_NODEV:
      return ENODEV;
    case NLE_OBJ_NOTFOUND:
      return ENOENT;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_BUSY:
      return EBUSY;
    case NLE_INVAL:
      return EINVAL;
    case NLE_NOMEM:
      return ENOMEM;
    default:
      return EIO;
  }
}

template <class F>
Result<NlCache> read_all(const char* what, F read) {
  constexpr int kTries = 10;
  int code = 0;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    nl_cache* cache = nullptr;
    code = read(&cache);
    if (code >= 0) return NlCache(cache);
    if (code != -NLE_DUMP_INTR) break;
  }
  return fail_nl(what, code);
}

}  // namespace

Error nl_error(const std::string& what, int code) {
  int number = errno_of(code);
  Code klass = errno_error("", number).code();
  return Error(klass, what + ": " + nl_geterror(code), number);
}

Result<NlSocket> open_route_socket() {
  NlSocket socket(nl_socket_alloc());
  if (!socket) return fail_errno("netlink socket", ENOMEM);
  if (int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return fail_nl("netlink socket", code);
  }
  return socket;
}

Result<NlCache> read_links(nl_sock* socket) {
  return read_all("list links", [socket](nl_cache** cache) {
    return rtnl_link_alloc_cache(socket, AF_UNSPEC, cache);
  });
}

Result<NlCache> read_addresses(nl_sock* socket) {
  return read_all("list addresses",
                  [socket](nl_cache** cache) { return rtnl_addr_alloc_cache(socket, cache); });
}

Result<NlCache> read_routes(nl_sock* socket) {
  return read_all("list routes", [socket](nl_cache** cache) {
    return rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, cache);
  });
}

Result<NlCache> read_neighbors(nl_sock* socket) {
  return read_all("list neighbours",
                  [socket](nl_cache** cache) { return rtnl_neigh_alloc_cache(socket, cache); });
}

Result<NlAddr> parse_address(const std::string& text, int family) {
  nl_addr* address = nullptr;
  if (int code = nl_addr_parse(text.c_str(), family, &address); code < 0) {
    return fail(Code::kInvalidArgument, "bad address \"" + text + "\"");
  }
  return NlAddr(address);
}

std::string address_text(const nl_addr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (!address || nl_addr_get_len(address) == 0) return {};
  inet_ntop(nl_addr_get_family(address), nl_addr_get_binary_addr(address), text, sizeof text);
  return text;
}

Result<NlLink> link_by_name(nl_cache* links, const std::string& name) {
  rtnl_link* link = rtnl_link_get_by_name(links, name.c_str());
  if (!link) return fail(Code::kNotFound, "Link not found: " + name);
  return NlLink(link);
}

Result<NlLink> link_by_mac(nl_cache* links, const std::string& mac) {
  rtnl_link* found = nullptr;
  for_each<rtnl_link>(links, [&](rtnl_link* link) {
    char text[64] = "";
    nl_addr* address = rtnl_link_get_addr(link);
    if (!address || found) return;
    nl_addr2str(address, text, sizeof text);
    if (strcasecmp(text, mac.c_str()) == 0) found = link;
  });
  if (!found) return fail(Code::kNotFound, "Link not found: no interface has MAC " + mac);
  nl_object_get(OBJ_CAST(found));
  return NlLink(found);
}

std::string name_of_link(nl_cache* links, int index) {
  NlLink link(rtnl_link_get(links, index));
  const char* name = link ? rtnl_link_get_name(link.get()) : nullptr;
  return name ? name : "";
}

}  // namespace kata::rtnetlink
