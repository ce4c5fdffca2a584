#include "network/sandbox_network.h"

#include <net/if.h>

#include "bed.h"
#include "network/in_netns.h"
#include "network/undo.h"

namespace kata::network {
namespace {

using testing::HasSubstr;

class SandboxNetworkTest : public NetworkBed {
 protected:
  void SetUp() override {
    NetworkBed::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    add_veth("eth0", "address 02:00:00:00:00:07 mtu 1400");
    shell("ip addr add 192.0.2.7/24 dev eth0");
    before_ = state();
    auto opened = Journal::open(journal_path());
    ASSERT_TRUE(opened);
    journal_ = std::make_unique<Journal>(std::move(*opened));
  }
  std::unique_ptr<SandboxNetwork> make(Settings settings = {}) {
    auto made = SandboxNetwork::create(here(), settings, *journal_);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  Status undo(int held = -1) {
    journal::UndoOptions options;
    options.undoers = undoers(held);
    return undo_all(journal_path(), options);
  }
  static std::string state() {
    return shell("ip -o link | sed 's/^[0-9]*: //'; tc qdisc show; ip addr show eth0; ip route");
  }

  std::string before_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(SandboxNetworkTest, TapIsTiedToTheLinkBothWays) {
  auto network = make({.queues = 2});
  auto devices = network->refresh();
  ASSERT_TRUE(devices) << devices.error().message();
  ASSERT_EQ(devices->added.size(), 1u);
  EXPECT_EQ(devices->added.at(0).id, "network-0");
  EXPECT_EQ(devices->added.at(0).mac, "02:00:00:00:00:07");
  EXPECT_EQ(devices->added.at(0).tap_fds.size(), 2u);
  EXPECT_THAT(shell("ip link show tap0_kata"), HasSubstr("UP,LOWER_UP> mtu 1400"));
  EXPECT_THAT(shell("tc filter show dev eth0 parent ffff:"),
              HasSubstr("(Egress Redirect to device tap0_kata) stolen"));
  EXPECT_THAT(shell("tc filter show dev tap0_kata parent ffff:"),
              HasSubstr("(Egress Redirect to device eth0) stolen"));
  // Addresses stay: they are what the guest is told.
  EXPECT_THAT(shell("ip addr show eth0"), HasSubstr("192.0.2.7/24"));
}

TEST_F(SandboxNetworkTest, ReplayLeavesTheNamespaceAsItWas) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  EXPECT_NE(state(), before_);
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_EQ(state(), before_);
  EXPECT_TRUE(undo(network->netns_fd()));
}

// A killed shim: the tap went with its descriptors, the qdisc did not.
TEST_F(SandboxNetworkTest, ReplayAfterTheTapIsGone) {
  {
    auto network = make();
    auto devices = network->refresh();
    ASSERT_TRUE(devices);
  }
  EXPECT_NE(state(), before_);
  // By path, as somebody else finds it.
  ASSERT_TRUE(undo());
  EXPECT_EQ(state(), before_);
}

TEST_F(SandboxNetworkTest, AnotherNamespaceIsNotTouched) {
  auto network = make();
  auto devices = network->refresh();
  ASSERT_TRUE(devices);
  // The same path leads elsewhere now.
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  add_veth("eth0");
  shell("tc qdisc add dev eth0 ingress");
  ASSERT_TRUE(undo());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), HasSubstr("ingress"));
}

TEST_F(SandboxNetworkTest, AVanishedNamespaceIsFine) {
  ASSERT_TRUE(journal_->add(tap_entry({"/no/such/netns", 4711, 1}, "tap0_kata")));
  ASSERT_TRUE(journal_->add(ingress_entry({"", 4711, 1}, 2)));
  EXPECT_TRUE(undo());
}

TEST_F(SandboxNetworkTest, ForeignIngressQdiscIsRefusedAndStays) {
  shell("tc qdisc add dev eth0 ingress");
  auto network = make();
  auto devices = network->refresh();
  ASSERT_FALSE(devices);
  EXPECT_THAT(devices.error().message(),
              HasSubstr("connect interface eth0: it has an ingress qdisc already"));
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_THAT(shell("tc qdisc show dev eth0"), HasSubstr("ingress"));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("tap0_kata")));
}

TEST_F(SandboxNetworkTest, OnlyNewLinksAreConnectedLater) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  add_veth("eth1");
  shell("ip addr add 198.51.100.7/24 dev eth1");
  auto devices = network->refresh();
  ASSERT_TRUE(devices) << devices.error().message();
  ASSERT_EQ(devices->added.size(), 1u);
  EXPECT_EQ(devices->added.at(0).id, "network-1");
  EXPECT_EQ(network->guest().interfaces.size(), 2u);
  EXPECT_THAT(shell("ip link"), HasSubstr("tap1_kata"));
}

TEST_F(SandboxNetworkTest, ATakenTapNameIsPassedOver) {
  shell("ip tuntap add dev tap0_kata mode tap");
  auto network = make();
  auto devices = network->refresh();
  ASSERT_TRUE(devices);
  EXPECT_THAT(shell("ip link"), HasSubstr("tap1_kata"));
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_THAT(shell("ip link"), HasSubstr("tap0_kata"));
}

TEST_F(SandboxNetworkTest, AnMtuThatNoTapHasIsNamed) {
  shell("ip link set eth0 mtu 65535");
  auto network = make();
  auto devices = network->refresh();
  ASSERT_FALSE(devices);
  EXPECT_THAT(devices.error().message(), HasSubstr("interface eth0: its MTU 65535 is above 65521"));
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("tap0_kata")));
}

TEST_F(SandboxNetworkTest, ATapOfThePodGoesToTheVmItself) {
  shell("ip link del eth0; ip tuntap add dev net0 mode tap; ip addr add 192.0.2.9/24 dev net0");
  auto network = make({.queues = 4});
  auto devices = network->refresh();
  ASSERT_TRUE(devices) << devices.error().message();
  ASSERT_EQ(devices->added.size(), 1u);
  EXPECT_EQ(devices->added.at(0).tap_fds.size(), 1u);  // it was made with one queue
  EXPECT_TRUE(journal_->live().empty());
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("_kata")));
}

TEST_F(SandboxNetworkTest, MacvtapStandsOnTheUntouchedLink) {
  const std::string link = shell("ip addr show eth0");
  auto network = make({.model = config::NetworkModel::kMacvtap, .queues = 2});
  auto change = network->refresh();
  ASSERT_TRUE(change) << change.error().message();
  ASSERT_EQ(change->added.size(), 1u);
  EXPECT_EQ(change->added[0].tap_fds.size(), 2u);
  EXPECT_THAT(shell("ip -d link show tap0_kata"),
              testing::AllOf(HasSubstr("macvtap mode passthru"), HasSubstr("02:00:00:00:00:07"),
                             HasSubstr("mtu 1400"), HasSubstr("UP")));
  EXPECT_EQ(shell("ip addr show eth0"), link);
  EXPECT_EQ(network->guest().interfaces.size(), 1u);
  auto again = network->refresh();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->added.empty());
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("_kata")));
}

TEST_F(SandboxNetworkTest, ModelNoneTiesNothing) {
  auto network = make({.model = config::NetworkModel::kNone});
  ASSERT_TRUE(network->refresh());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), testing::Not(HasSubstr("ingress")));
  EXPECT_FALSE(
      SandboxNetwork::create(here(), {.model = config::NetworkModel::kL3Forwarding}, *journal_));
}

TEST_F(SandboxNetworkTest, AnInterfaceThatLeftIsReleased) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  network->set_path("network-0", "02/01");
  EXPECT_EQ(network->guest().interfaces.at(0).message.devicepath(), "02/01");
  shell("ip addr flush dev eth0");
  auto bare = network->refresh();
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->removed.empty());  // it may get another address
  shell("ip link del eth0");
  auto gone = network->refresh();
  ASSERT_TRUE(gone);
  EXPECT_THAT(gone->removed, testing::ElementsAre("network-0"));
  ASSERT_TRUE(network->release("network-0"));
  EXPECT_TRUE(network->release("network-0"));
  EXPECT_TRUE(journal_->live().empty());
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("_kata")));
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0");
  auto again = network->refresh();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->added.at(0).id, "network-1");  // never the id of a device that may linger
}

// One bad interface must not leave its neighbour half connected.
TEST_F(SandboxNetworkTest, AFailedStartReleasesWhatItConnected) {
  auto network = make();
  add_veth("eth1", "mtu 65535");
  shell("ip addr add 198.51.100.7/24 dev eth1");
  ASSERT_FALSE(network->refresh());
  EXPECT_TRUE(journal_->live().empty());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), testing::Not(HasSubstr("ingress")));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("_kata")));
}

// Another try for each look would make and remove taps without end, each a reason to look again.
TEST_F(SandboxNetworkTest, ABadNewcomerIsToldOfOnceAndHoldsUpNobody) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  add_veth("eth1", "mtu 65535");
  shell("ip addr add 198.51.100.7/24 dev eth1");
  shell("ip tuntap add dev wg0 mode tun; ip addr add 203.0.113.7/24 dev wg0");
  add_veth("eth2");
  shell("ip addr add 198.51.101.7/24 dev eth2");
  auto change = network->refresh();
  ASSERT_TRUE(change) << change.error().message();
  ASSERT_EQ(change->added.size(), 1u);
  EXPECT_EQ(change->refused.size(), 2u);
  const std::string settled = state();
  const size_t entries = journal_->live().size();
  auto again = network->refresh();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->added.empty());
  EXPECT_TRUE(again->refused.empty());
  EXPECT_EQ(state(), settled);
  EXPECT_EQ(journal_->live().size(), entries);
  // It is looked at again once it changes, and the one that left is told of meanwhile.
  shell("ip link set eth1 mtu 1500; ip link del eth2");
  again = network->refresh();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->added.size(), 1u);
  EXPECT_EQ(again->removed.size(), 1u);
}

TEST_F(SandboxNetworkTest, WhatTheVmCannotHaveIsLeftAloneUntilItChanges) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  shell("ip route add default via 192.0.2.1");
  add_veth("eth1");
  shell("ip addr add 198.51.100.7/24 dev eth1; ip route add 203.0.113.0/24 via 198.51.100.1");
  ASSERT_TRUE(network->refresh());
  EXPECT_EQ(network->guest().routes.size(), 2u);
  ASSERT_TRUE(network->give_up("network-1"));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("tap1_kata")));
  // Routes of a link that the guest does not have would keep it from the others.
  ASSERT_EQ(network->guest().routes.size(), 1u);
  EXPECT_EQ(network->guest().routes[0].device(), "eth0");
  EXPECT_EQ(network->guest().interfaces.size(), 1u);
  auto change = network->refresh();
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->added.empty());
  shell("ip addr add 198.51.100.8/24 dev eth1");
  change = network->refresh();
  ASSERT_TRUE(change);
  for (const Refusal& refusal : change->refused) ADD_FAILURE() << refusal.why.message();
  EXPECT_EQ(change->added.size(), 1u);
}

TEST_F(SandboxNetworkTest, ALinkOfTheSameNameIsNotCutOffWithTheOldOne) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  shell("ip link del eth0");
  add_veth("eth0");
  shell("ip addr add 192.0.2.7/24 dev eth0");
  auto change = network->refresh();
  ASSERT_TRUE(change) << change.error().message();
  ASSERT_EQ(change->added.size(), 1u);
  ASSERT_THAT(change->removed, testing::ElementsAre("network-0"));
  ASSERT_TRUE(network->release("network-0"));
  EXPECT_THAT(shell("tc filter show dev eth0 parent ffff:"),
              HasSubstr("(Egress Redirect to device tap1_kata) stolen"));
}

TEST_F(SandboxNetworkTest, ARenamedLinkStaysConnected) {
  auto network = make();
  ASSERT_TRUE(network->refresh());
  shell("ip link set eth0 name lan0");
  auto change = network->refresh();
  ASSERT_TRUE(change) << change.error().message();
  EXPECT_TRUE(change->added.empty());
  EXPECT_TRUE(change->removed.empty());
  ASSERT_EQ(network->guest().interfaces.size(), 1u);
  EXPECT_EQ(network->guest().interfaces[0].device, "network-0");
  EXPECT_EQ(network->guest().interfaces[0].message.name(), "lan0");
  ASSERT_TRUE(undo(network->netns_fd()));
  EXPECT_THAT(shell("tc qdisc show dev lan0"), testing::Not(HasSubstr("ingress")));
  shell("ip link set lan0 name eth0");
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("_kata")));
}

// A crash between the journal and the qdisc: what is there is another's.
TEST_F(SandboxNetworkTest, AForeignQdiscSurvivesTheReplay) {
  auto id = identify(here());
  ASSERT_TRUE(id);
  const int index = static_cast<int>(if_nametoindex("eth0"));
  shell("tc qdisc add dev eth0 ingress");
  for (const char* port : {"1", "2"}) {
    shell(std::string("tc filter add dev eth0 parent ffff: protocol ip u32 match u32 ") + port +
          " 0xff at 0 action mirred egress redirect dev p-eth0");
  }
  ASSERT_TRUE(journal_->add(ingress_entry(*id, index)));
  ASSERT_TRUE(undo());
  EXPECT_THAT(shell("tc filter show dev eth0 parent ffff:"),
              HasSubstr("Redirect to device p-eth0"));
  shell("tc qdisc del dev eth0 ingress; tc qdisc add dev eth0 clsact");
  journal_ = std::make_unique<Journal>(std::move(*Journal::open(journal_path())));
  ASSERT_TRUE(journal_->add(ingress_entry(*id, index)));
  ASSERT_TRUE(undo());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), HasSubstr("clsact"));
}

// The kernel gives the inode of a namespace that is gone to the next one.
TEST_F(SandboxNetworkTest, AnInodeUsedAgainIsNotTheSameNamespace) {
  auto id = identify(here());
  ASSERT_TRUE(id);
  if (id->cookie == 0) GTEST_SKIP() << "this kernel has no cookies of namespaces";
  shell("tc qdisc add dev eth0 ingress");
  const int index = static_cast<int>(if_nametoindex("eth0"));
  auto other = *id;
  ++other.cookie;
  ASSERT_TRUE(journal_->add(ingress_entry(other, index)));
  ASSERT_TRUE(undo());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), HasSubstr("ingress"));
  journal_ = std::make_unique<Journal>(std::move(*Journal::open(journal_path())));
  ASSERT_TRUE(journal_->add(ingress_entry(*id, index)));
  ASSERT_TRUE(undo());
  EXPECT_THAT(shell("tc qdisc show dev eth0"), testing::Not(HasSubstr("ingress")));
}

// Taken by something that no list of names shows.
TEST_F(SandboxNetworkTest, ATapNameTakenMeanwhileIsPassedOver) {
  shell("ip link property add dev eth0 altname tap0_kata");
  auto network = make();
  auto change = network->refresh();
  ASSERT_TRUE(change) << change.error().message();
  EXPECT_THAT(shell("ip link"), HasSubstr(": tap1_kata"));
}

TEST_F(SandboxNetworkTest, TheCallerStaysWhereItIs) {
  Netns other = here();
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const auto mine = netns_inode(here().fd.get());
  auto seen =
      in_netns(other.fd.get(), []() -> Result<ino_t> { return netns_inode(here().fd.get()); });
  ASSERT_TRUE(seen);
  EXPECT_NE(*seen, *mine);
  EXPECT_EQ(*netns_inode(here().fd.get()), *mine);
  EXPECT_FALSE(in_netns(-1, []() -> Status { return {}; }));
}

}  // namespace
}  // namespace kata::network
