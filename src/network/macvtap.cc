#include "network/macvtap.h"

#include <fcntl.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/link/macvtap.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include <cstring>

#include "base/file.h"
#include "network/tap.h"

namespace kata::network {

namespace {

using namespace rtnetlink;

// The device node is named by the index, which is unique only within a namespace: high and random
// ones, as upstream takes them, keep namespaces apart.
constexpr int kFirstIndex = 8192;
constexpr int kTries = 128;

std::string node_of(int index) {
  return "/dev/tap" + std::to_string(index);
}

int random_index() {
  uint16_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) number = 0;
  return kFirstIndex + number;
}

// The index of the new link.
Result<int> add_macvtap(nl_sock* socket, const std::string& name, int below) {
  int code = 0;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const int index = random_index();
    if (path_exists(node_of(index))) continue;
    NlLink link(rtnl_link_macvtap_alloc());
    rtnl_link_set_name(link.get(), name.c_str());
    rtnl_link_set_ifindex(link.get(), index);
    rtnl_link_set_link(link.get(), below);
    rtnl_link_macvtap_set_mode(link.get(), rtnl_link_macvtap_str2mode("passthru"));
    code = rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL);
    if (code >= 0) return index;
    if (code != -NLE_EXIST && code != -NLE_BUSY) break;
  }
  return fail_nl("make macvtap " + name, code);
}

// Another namespace may have made the same node in the same moment: the MAC tells.
Status check_mac(int queue, const std::string& wanted) {
  ifreq request{};
  if (ioctl(queue, SIOCGIFHWADDR, &request) < 0) return fail_errno("look at the macvtap's MAC");
  TRY(NlAddr mac, parse_address(wanted, AF_LLC));
  if (memcmp(request.ifr_hwaddr.sa_data, nl_addr_get_binary_addr(mac.get()),
             nl_addr_get_len(mac.get())) != 0) {
    return fail(Code::kAborted, "the device node belongs to another network namespace");
  }
  return {};
}

Result<std::vector<UniqueFd>> open_queues(int index, const std::string& mac, uint32_t queues) {
  std::vector<UniqueFd> fds;
  for (uint32_t i = 0; i < queues; ++i) {
    TRY(UniqueFd fd, in_step("a macvtap needs devtmpfs on /dev",
                             open_file(node_of(index), O_RDWR | O_NONBLOCK)));
    TRY_STATUS(check_mac(fd.get(), mac));
    TRY_STATUS(set_queue_flags(fd.get()));
    fds.push_back(std::move(fd));
  }
  return fds;
}

}  // namespace

Result<std::vector<UniqueFd>> make_macvtap(nl_sock* socket, const std::string& name,
                                           const Link& link, uint32_t queues) {
  TRY(int index, add_macvtap(socket, name, link.index));
  auto fds = open_queues(index, link.mac, queues);
  if (fds) return fds;
  NlLink half(rtnl_link_alloc());
  rtnl_link_set_ifindex(half.get(), index);
  rtnl_link_delete(socket, half.get());
  return fds;
}

}  // namespace kata::network
