#pragma once

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>

#include <memory>
#include <string>

#include "base/error.h"

// Owners of libnl-3 objects and the few look-ups that every network call needs, on the host and in
// the guest. A socket belongs to the network namespace of the thread that opened it; calls block
// for one round trip to the kernel.
namespace kata::rtnetlink {

template <auto Free>
struct NlFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using NlSocket = std::unique_ptr<nl_sock, NlFree<&nl_socket_free>>;
using NlCache = std::unique_ptr<nl_cache, NlFree<&nl_cache_free>>;
using NlAddr = std::unique_ptr<nl_addr, NlFree<&nl_addr_put>>;
using NlLink = std::unique_ptr<rtnl_link, NlFree<&rtnl_link_put>>;
using NlAddress = std::unique_ptr<rtnl_addr, NlFree<&rtnl_addr_put>>;
using NlRoute = std::unique_ptr<rtnl_route, NlFree<&rtnl_route_put>>;
using NlNeighbor = std::unique_ptr<rtnl_neigh, NlFree<&rtnl_neigh_put>>;

// Failure of a libnl call; codes of the library become errno values.
Error nl_error(const std::string& what, int code);
inline std::unexpected<Error> fail_nl(const std::string& what, int code) {
  return std::unexpected(nl_error(what, code));
}

Result<NlSocket> open_route_socket();
// What the kernel has now. A listing that changes while it is read is read again.
Result<NlCache> read_links(nl_sock* socket);
Result<NlCache> read_addresses(nl_sock* socket);
Result<NlCache> read_routes(nl_sock* socket);
Result<NlCache> read_neighbors(nl_sock* socket);

// Address with optional "/prefix"; `family` AF_INET, AF_INET6 or AF_LLC for a MAC.
Result<NlAddr> parse_address(const std::string& text, int family);
// Text without prefix.
std::string address_text(const nl_addr* address);

// kNotFound "Link not found": callers on the host retry on these words.
Result<NlLink> link_by_name(nl_cache* links, const std::string& name);
Result<NlLink> link_by_mac(nl_cache* links, const std::string& mac);
std::string name_of_link(nl_cache* links, int index);

// Runs `visit(object)` for every object of a cache.
template <class Object, class F>
void for_each(nl_cache* cache, F visit) {
  for (nl_object* at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
    visit(reinterpret_cast<Object*>(at));
  }
}

}  // namespace kata::rtnetlink
