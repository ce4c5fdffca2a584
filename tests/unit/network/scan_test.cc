#include "network/scan.h"

#include <linux/rtnetlink.h>

#include "bed.h"

namespace kata::network {
namespace {

class ScanTest : public NetworkBed {
 protected:
  static Scan scan_ok() {
    auto found = scan();
    EXPECT_TRUE(found) << found.error().message();
    return found ? std::move(*found) : Scan();
  }
  static void expect_refused(const std::string& words) {
    const Scan found = scan_ok();
    ASSERT_EQ(found.refused.size(), 1u);
    EXPECT_THAT(found.refused[0].why.message(), testing::HasSubstr(words));
  }
};

TEST_F(ScanTest, LoopbackAndLinksWithoutAddressDoNotCount) {
  shell("ip link set lo up; ip link add bare type bridge");
  EXPECT_TRUE(scan_ok().links.empty());
}

TEST_F(ScanTest, ALinkWithAllThatTheGuestNeeds) {
  add_veth("eth0", "address 02:00:00:00:00:07 mtu 1400");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip -6 addr add 2001:db8::7/64 dev eth0 nodad");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  const types::Interface guest = guest_interface(found.links[0]);
  EXPECT_EQ(guest.name(), "eth0");
  EXPECT_EQ(guest.type(), "veth");
  EXPECT_EQ(guest.mtu(), 1400u);
  EXPECT_EQ(guest.hwaddr(), "02:00:00:00:00:07");
  EXPECT_EQ(guest.raw_flags(), 0u);
  std::vector<std::string> addresses;
  for (const auto& address : guest.ipaddresses()) {
    addresses.push_back(address.address() + "/" + address.mask());
    EXPECT_EQ(address.family(),
              addresses.back().find(':') == std::string::npos ? types::v4 : types::v6);
  }
  EXPECT_THAT(addresses, testing::UnorderedElementsAre("192.0.2.7/24", "2001:db8::7/64",
                                                       "fe80::ff:fe00:7/64"));
}

// What a link carries counts, not what made it.
TEST_F(ScanTest, AnyEthernetLinkCountsInOrderOfNames) {
  add_veth("veth1");
  shell("ip link add br1 type bridge; ip link add link veth1 name mac1 type macvlan mode bridge");
  shell("ip addr add 192.0.2.1/24 dev veth1; ip addr add 192.0.2.2/24 dev br1");
  shell("ip addr add 192.0.2.3/24 dev mac1");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 3u);
  EXPECT_EQ(found.links[0].kind, "bridge");
  EXPECT_EQ(found.links[1].kind, "macvlan");
  EXPECT_EQ(found.links[2].kind, "veth");
}

// A port has a link-local address of its own, and its bridge often has its MAC.
TEST_F(ScanTest, APortOfABridgeDoesNotCount) {
  add_veth("eth0", "address 02:00:00:00:00:07");
  shell("ip link add br1 type bridge; ip link set eth0 master br1; ip link set br1 up");
  shell("ip addr add 192.0.2.1/24 dev br1; ip -6 addr add fe80::7/64 dev eth0 nodad");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  EXPECT_EQ(found.links[0].name, "br1");
  EXPECT_EQ(found.links[0].mac, "02:00:00:00:00:07");
}

TEST_F(ScanTest, AMemberOfAVrfCounts) {
  if (system("ip link add red type vrf table 7 2>/dev/null") != 0) {
    GTEST_SKIP() << "this kernel has no VRFs";
  }
  add_veth("eth0");
  shell("ip link set eth0 master red; ip addr add 192.0.2.1/24 dev eth0");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  EXPECT_EQ(found.links[0].name, "eth0");
}

TEST_F(ScanTest, ASecondAddressOfANetworkCounts) {
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip addr add 192.0.2.8/24 dev eth0");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  std::vector<std::string> addresses;
  for (const auto& address : found.links[0].addresses) addresses.push_back(address.address());
  EXPECT_THAT(addresses, testing::IsSupersetOf({"192.0.2.7", "192.0.2.8"}));
}

TEST_F(ScanTest, TooManyAddressesAreRefused) {
  add_veth("eth0");
  shell(
      "for i in $(seq 257); do echo addr add 10.0.$((i / 250)).$((i % 250))/32 dev eth0; done "
      "| ip -batch -");
  expect_refused("interface eth0 has more than 256 addresses");
}

// The guest would take the gateway for one that it can ask by ARP, or not at all.
TEST_F(ScanTest, ARouteViaTheOtherFamilyStaysOnTheHost) {
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip -6 addr add 2001:db8::7/64 dev eth0 nodad");
  shell("ip route add 198.51.100.0/24 via inet6 2001:db8::1 dev eth0");
  shell("ip route add 203.0.113.0/24 via 192.0.2.1");
  const Scan found = scan_ok();
  ASSERT_EQ(found.routes.size(), 1u);
  EXPECT_EQ(found.routes[0].dest(), "203.0.113.0/24");
}

TEST_F(ScanTest, DuplicateDetectionUnderWayIsTold) {
  add_veth("eth0");
  shell("ip -6 addr add 2001:db8::7/64 dev eth0 nodad");
  ASSERT_EQ(scan_ok().links.size(), 1u);
  EXPECT_FALSE(scan_ok().links[0].settling);
  shell("ip -6 addr add 2001:db8::8/64 dev eth0");
  EXPECT_TRUE(scan_ok().links[0].settling);
}

TEST_F(ScanTest, ATapOfOursIsNoInterfaceOfThePod) {
  shell("ip tuntap add dev tap12_kata mode tap; ip addr add 192.0.2.1/24 dev tap12_kata");
  shell("ip tuntap add dev tapx_kata mode tap; ip addr add 192.0.2.2/24 dev tapx_kata");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  EXPECT_EQ(found.links[0].name, "tapx_kata");
}

TEST_F(ScanTest, LinkWithoutFramesIsRefused) {
  shell("ip tuntap add dev wg0 mode tun; ip addr add 192.0.2.1/24 dev wg0");
  expect_refused("wg0 (tun) carries no Ethernet frames");
}

TEST_F(ScanTest, EqualMacsAreRefused) {
  add_veth("eth0", "address 02:00:00:00:00:07");
  add_veth("eth1", "address 02:00:00:00:00:07");
  shell("ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.2/24 dev eth1");
  expect_refused("interfaces eth0 and eth1 have the same MAC");
}

TEST_F(ScanTest, OddNamesAreRefused) {
  add_veth("$(printf 'e\\303\\244\\001')");
  shell("ip addr add 192.0.2.1/24 dev \"$(printf 'e\\303\\244\\001')\"");
  expect_refused("not printable ASCII");
}

TEST_F(ScanTest, TooManyLinksAreRefused) {
  for (size_t i = 0; i <= kMaxLinks; ++i) {
    const std::string name = "b" + std::to_string(i);
    shell("ip link add " + name + " type bridge; ip addr add 192.0.2." + std::to_string(i + 1) +
          "/24 dev " + name);
  }
  expect_refused("interface b16 is one too many");
}

TEST_F(ScanTest, RoutesOfThePodAndNotOfTheKernel) {
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip -6 addr add 2001:db8::7/64 dev eth0 nodad");
  shell("ip route add default via 192.0.2.1; ip route add 198.51.100.0/24 dev eth0 scope link");
  shell("ip route add 203.0.113.0/24 via 169.254.1.1 dev eth0 onlink mtu 1300 src 192.0.2.7");
  shell("ip route add blackhole 203.0.114.0/24; ip route add 203.0.115.0/24 via 192.0.2.1 table 7");
  shell("ip -6 route add default via 2001:db8::1");
  std::map<std::string, types::Route> routes;
  for (const auto& route : scan_ok().routes) {
    routes[route.dest() + (route.family() == types::v6 ? "v6" : "v4")] = route;
  }
  ASSERT_EQ(routes.size(), 4u);
  EXPECT_EQ(routes["v4"].gateway(), "192.0.2.1");
  EXPECT_EQ(routes["v6"].gateway(), "2001:db8::1");
  EXPECT_EQ(routes["198.51.100.0/24v4"].scope(), static_cast<uint32_t>(RT_SCOPE_LINK));
  const types::Route& odd = routes["203.0.113.0/24v4"];
  EXPECT_EQ(odd.gateway(), "169.254.1.1");
  EXPECT_EQ(odd.device(), "eth0");
  EXPECT_EQ(odd.source(), "192.0.2.7");
  EXPECT_EQ(odd.mtu(), 1300u);
  EXPECT_TRUE(odd.flags() & RTNH_F_ONLINK);
}

TEST_F(ScanTest, TheBestOfSeveralRoutesToOnePlace) {
  add_veth("eth0");
  add_veth("eth1");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip addr add 198.51.100.7/24 dev eth1");
  shell("ip route add default via 192.0.2.1 metric 200");
  shell("ip route add default via 198.51.100.1 metric 100");
  shell("ip route add default via 192.0.2.2 metric 300");
  const Scan found = scan_ok();
  ASSERT_EQ(found.routes.size(), 1u);
  EXPECT_EQ(found.routes[0].gateway(), "198.51.100.1");
  EXPECT_EQ(found.routes[0].device(), "eth1");
}

// "ptp" plugins: without the route the gateway could not be reached.
TEST_F(ScanTest, APeerIsReachedByARoute) {
  add_veth("eth0");
  shell("ip addr add 192.0.2.7 peer 192.0.2.1/32 dev eth0; ip route add default via 192.0.2.1");
  const Scan found = scan_ok();
  ASSERT_EQ(found.links.size(), 1u);
  bool lone = false;
  for (const auto& address : found.links[0].addresses) {
    lone |= address.address() == "192.0.2.7" && address.mask() == "32";
  }
  EXPECT_TRUE(lone);
  ASSERT_EQ(found.routes.size(), 2u);
  EXPECT_EQ(found.routes[0].dest(), "192.0.2.1/32");
  EXPECT_EQ(found.routes[0].scope(), static_cast<uint32_t>(RT_SCOPE_LINK));
  EXPECT_EQ(found.routes[1].gateway(), "192.0.2.1");
}

TEST_F(ScanTest, StaticNeighboursAndKnownGateways) {
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0; ip route add default via 192.0.2.1");
  for (const char* entry :
       {"192.0.2.1 nud reachable", "192.0.2.2 nud reachable", "192.0.2.3 nud permanent"}) {
    shell(std::string("ip neigh add lladdr 02:00:00:00:00:09 dev eth0 ") + entry);
  }
  const Scan found = scan_ok();
  std::vector<std::string> addresses;
  for (const auto& neighbor : found.neighbors) {
    addresses.push_back(neighbor.toipaddress().address());
    EXPECT_EQ(neighbor.device(), "eth0");
    EXPECT_EQ(neighbor.lladdr(), "02:00:00:00:00:09");
  }
  EXPECT_THAT(addresses, testing::UnorderedElementsAre("192.0.2.1", "192.0.2.3"));
}

}  // namespace
}  // namespace kata::network
