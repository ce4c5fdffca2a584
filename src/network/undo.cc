#include "network/undo.h"

#include <charconv>

#include "network/in_netns.h"
#include "network/netns.h"
#include "network/redirect.h"
#include "rtnetlink/objects.h"

namespace kata::network {

namespace {

using namespace rtnetlink;
using journal::Entry;

Entry link_entry(std::string_view kind, const NetnsId& netns, const std::string& link) {
  return Entry{std::string(kind),
               {netns.path, std::to_string(netns.inode), std::to_string(netns.cookie), link}};
}

bool is_namespace(int fd, const std::string& inode) {
  auto own = netns_inode(fd);
  return own && std::to_string(*own) == inode;
}

Status undo_in(nl_sock* socket, const Entry& entry) {
  const std::string& name = entry.fields[3];
  if (entry.kind == kIngressKind) {
    int index = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc() || end != name.data() + name.size() || index <= 0) {
      return fail(Code::kDataLoss, "\"" + name + "\" is not the index of a link");
    }
    return remove_redirect(socket, index);
  }
  TRY(NlCache links, read_links(socket));
  auto link = link_by_name(links.get(), name);
  if (!link) return {};
  const char* kind = rtnl_link_get_type(link->get());
  if (!kind || (std::string_view(kind) != "tun" && std::string_view(kind) != "macvtap")) return {};
  int code = rtnl_link_delete(socket, link->get());
  if (code < 0 && nl_error("", code).sys_errno() != ENODEV) return fail_nl("remove link", code);
  return {};
}

Status undo(const Entry& entry, int held_netns) {
  if (entry.fields.size() != 4) {
    return fail(Code::kDataLoss, "entry needs namespace, inode, cookie and link");
  }
  const std::string& path = entry.fields[0];
  const std::string& inode = entry.fields[1];
  Netns opened;
  int fd = held_netns;
  if (fd < 0 || !is_namespace(fd, inode)) {
    if (path.empty()) return {};
    auto found = open_netns(path);
    // Not there, or a mere file once the namespace was unmounted from it.
    if (!found || !is_namespace(found->fd.get(), inode)) return {};
    opened = std::move(*found);
    fd = opened.fd.get();
  }
  return in_netns(fd, [&]() -> Status {
    const std::string& cookie = entry.fields[2];
    if (cookie != "0" && cookie != std::to_string(netns_cookie())) return {};
    TRY(NlSocket socket, open_route_socket());
    return undo_in(socket.get(), entry);
  });
}

}  // namespace

Entry tap_entry(const NetnsId& netns, const std::string& tap) {
  return link_entry(kTapKind, netns, tap);
}

Entry ingress_entry(const NetnsId& netns, int link) {
  return link_entry(kIngressKind, netns, std::to_string(link));
}

std::map<std::string, journal::Undoer> undoers(int held_netns) {
  auto one = [held_netns](const Entry& entry) { return undo(entry, held_netns); };
  return {{std::string(kTapKind), one}, {std::string(kIngressKind), one}};
}

}  // namespace kata::network
