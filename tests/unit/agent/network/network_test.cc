// Links, addresses and routes in a network namespace of the test's own.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "agent/init/guest_init.h"
#include "agent/network/interfaces.h"
#include "agent/network/routes.h"
#include "base/file.h"
#include "rtnetlink/objects.h"

namespace kata::agent {
namespace {

using namespace rtnetlink;

class Network : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  }
  // A link to work on; false when this kernel has none of the kinds that need no hardware.
  bool add_link(const char* name, const char* mac) {
    auto socket = open_route_socket();
    auto address = parse_address(mac, AF_LLC);
    for (const char* kind : {"dummy", "bridge"}) {
      NlLink link(rtnl_link_alloc());
      rtnl_link_set_name(link.get(), name);
      rtnl_link_set_type(link.get(), kind);
      rtnl_link_set_addr(link.get(), address->get());
      if (rtnl_link_add(socket->get(), link.get(), NLM_F_CREATE | NLM_F_EXCL) == 0) return true;
    }
    return false;
  }
  static const types::Interface* find(const grpc::Interfaces& list, const std::string& name) {
    for (const auto& entry : list.interfaces()) {
      if (entry.name() == name) return &entry;
    }
    return nullptr;
  }
  static types::Interface wanted(const std::string& name, const std::string& mac) {
    types::Interface interface;
    interface.set_name(name);
    interface.set_hwaddr(mac);
    interface.set_mtu(1400);
    auto* ip = interface.add_ipaddresses();
    ip->set_address("192.0.2.7");
    ip->set_mask("24");
    return interface;
  }
};

constexpr char kMac[] = "02:00:00:00:00:01";

TEST_F(Network, LoopbackComesUp) {
  ASSERT_TRUE(loopback_up());
  auto list = list_interfaces();
  ASSERT_TRUE(list) << list.error().message();
  const auto* lo = find(*list, "lo");
  ASSERT_TRUE(lo);
  ASSERT_GE(lo->ipaddresses_size(), 1);
  EXPECT_EQ(lo->ipaddresses(0).address(), "127.0.0.1");
  EXPECT_EQ(lo->ipaddresses(0).mask(), "8");
}

TEST_F(Network, LinkIsFoundByMacAndGetsEverything) {
  if (!add_link("dum0", kMac)) GTEST_SKIP() << "no link to work on";
  auto done = update_interface(wanted("eth0", kMac));
  ASSERT_TRUE(done) << done.error().message();
  auto list = list_interfaces();
  ASSERT_TRUE(list);
  EXPECT_FALSE(find(*list, "dum0"));
  const auto* link = find(*list, "eth0");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->mtu(), 1400u);
  EXPECT_EQ(link->hwaddr(), "02:00:00:00:00:01");
  ASSERT_GE(link->ipaddresses_size(), 1);
  EXPECT_EQ(link->ipaddresses(0).address(), "192.0.2.7");
  EXPECT_EQ(link->ipaddresses(0).mask(), "24");
  EXPECT_TRUE(update_interface(wanted("eth0", kMac)));  // again: nothing to change
}

// An update must not cost an interface its routes: the kernel takes them when a link goes down.
TEST_F(Network, RoutesStayWhenNeitherNameNorMacChange) {
  if (!add_link("dum0", kMac)) GTEST_SKIP() << "no link to work on";
  ASSERT_TRUE(update_interface(wanted("eth0", kMac)));
  grpc::Routes routes;
  auto* fallback = routes.add_routes();
  fallback->set_gateway("192.0.2.1");
  fallback->set_device("eth0");
  ASSERT_TRUE(update_routes(routes));
  auto more = wanted("eth0", kMac);
  more.set_mtu(1300);
  more.mutable_ipaddresses(0)->set_address("192.0.2.8");
  ASSERT_TRUE(update_interface(more));
  auto list = list_routes();
  ASSERT_TRUE(list);
  EXPECT_TRUE(std::ranges::any_of(
      list->routes(), [](const auto& route) { return route.gateway() == "192.0.2.1"; }));
}

TEST_F(Network, TheLinkAtThePciPathIsTaken) {
  if (!add_link("dum0", kMac) || !add_link("dum1", "02:00:00:00:00:02")) {
    GTEST_SKIP() << "no link to work on";
  }
  char folder[] = "/tmp/kata-sysfs-XXXXXX";
  const std::string sysfs = mkdtemp(folder);
  const std::string device = sysfs + "/devices/pci0000:00/0000:00:02.0";
  std::filesystem::create_directories(device + "/pci_bus/0000:01");
  std::filesystem::create_directories(device + "/0000:01:01.0/virtio3/net/dum1");
  std::filesystem::create_directories(sysfs + "/bus/pci/devices");
  auto interface = wanted("eth0", kMac);
  interface.set_devicepath("02/01");
  // The MAC is another link's: a device that the guest did not let go of yet.
  auto done = update_interface(interface, sysfs);
  EXPECT_TRUE(done) << done.error().message();
  interface.set_devicepath("02/07");
  done = update_interface(interface, sysfs);
  std::filesystem::remove_all(sysfs);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("Link not found"), std::string::npos);
  auto list = list_interfaces();
  ASSERT_TRUE(list);
  EXPECT_TRUE(find(*list, "dum0"));
  EXPECT_FALSE(find(*list, "dum1"));
  ASSERT_TRUE(find(*list, "eth0"));
  EXPECT_EQ(find(*list, "eth0")->hwaddr(), "02:00:00:00:00:01");
}

// A guest without IPv6 gets what is left instead of nothing.
TEST_F(Network, WithoutIpv6ItsRoutesAndNeighboursAreSkipped) {
  if (!add_link("eth0", kMac)) GTEST_SKIP() << "no link to work on";
  if (!write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")) {
    GTEST_SKIP() << "/proc/sys is read-only";
  }
  ASSERT_TRUE(update_interface(wanted("eth0", kMac)));
  grpc::Routes routes;
  auto* modern = routes.add_routes();
  modern->set_family(types::v6);
  modern->set_gateway("2001:db8::1");
  modern->set_device("eth0");
  auto* fallback = routes.add_routes();
  fallback->set_gateway("192.0.2.1");
  fallback->set_device("eth0");
  auto done = update_routes(routes);
  EXPECT_TRUE(done) << done.error().message();
  grpc::ARPNeighbors neighbors;
  auto* entry = neighbors.add_arpneighbors();
  entry->mutable_toipaddress()->set_family(types::v6);
  entry->mutable_toipaddress()->set_address("2001:db8::1");
  entry->set_device("eth0");
  entry->set_lladdr("02:00:00:00:00:aa");
  EXPECT_TRUE(add_neighbors(neighbors));
}

TEST_F(Network, ATakenNameIsSwapped) {
  if (!add_link("dum0", kMac) || !add_link("eth0", "02:00:00:00:00:02")) {
    GTEST_SKIP() << "no link to work on";
  }
  ASSERT_TRUE(update_interface(wanted("eth0", kMac)));
  auto list = list_interfaces();
  ASSERT_TRUE(list && find(*list, "eth0") && find(*list, "dum0"));
  EXPECT_EQ(find(*list, "eth0")->hwaddr(), "02:00:00:00:00:01");
  EXPECT_EQ(find(*list, "dum0")->hwaddr(), "02:00:00:00:00:02");
}

// Callers on the host retry on these words.
TEST_F(Network, UnknownLinkSaysLinkNotFound) {
  auto done = update_interface(wanted("eth9", "02:00:00:00:00:99"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("Link not found"), std::string::npos);
}

TEST_F(Network, RoutesWithGatewayComeAfterThoseWithout) {
  if (!add_link("eth0", kMac)) GTEST_SKIP() << "no link to work on";
  ASSERT_TRUE(update_interface(wanted("eth0", kMac)));
  grpc::Routes routes;
  auto* fallback = routes.add_routes();
  fallback->set_gateway("198.51.100.1");
  fallback->set_device("eth0");
  auto* direct = routes.add_routes();
  direct->set_dest("198.51.100.0/24");
  direct->set_device("eth0");
  direct->set_scope(253);
  auto done = update_routes(routes);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_TRUE(update_routes(routes));  // replaced, no error
  auto list = list_routes();
  ASSERT_TRUE(list);
  bool has_default = false, has_direct = false;
  for (const auto& route : list->routes()) {
    has_default |= route.gateway() == "198.51.100.1" && route.device() == "eth0";
    has_direct |= route.dest() == "198.51.100.0/24" && route.gateway().empty();
  }
  EXPECT_TRUE(has_default);
  EXPECT_TRUE(has_direct);
}

TEST_F(Network, NeighborsAreAdded) {
  if (!add_link("eth0", kMac)) GTEST_SKIP() << "no link to work on";
  ASSERT_TRUE(update_interface(wanted("eth0", kMac)));
  grpc::ARPNeighbors neighbors;
  auto* entry = neighbors.add_arpneighbors();
  entry->mutable_toipaddress()->set_address("192.0.2.1");
  entry->set_device("eth0");
  entry->set_lladdr("02:00:00:00:00:aa");
  auto done = add_neighbors(neighbors);
  EXPECT_TRUE(done) << done.error().message();
  entry->set_lladdr("not a mac");
  EXPECT_FALSE(add_neighbors(neighbors));
}

}  // namespace
}  // namespace kata::agent
