// What the guest is told of its network, and what it is not told twice.
#include "runtime/guest_network.h"

#include "fake_agent.h"

namespace kata::runtime {
namespace {

class GuestNetworkTest : public FakeAgentTest {
 protected:
  GuestNetworkTest() {
    network_.interfaces.push_back({"network-0", interface("eth0")});
    network_.interfaces.push_back({"network-1", interface("net1")});
    network_.routes.push_back(route("eth0"));
    network_.routes.push_back(route("net1"));
    network_.neighbors.push_back(neighbor("eth0", 0x02));
    for (const char* method : {"UpdateInterface", "UpdateRoutes", "AddARPNeighbors"}) {
      server_.handle_raw(
          "grpc.AgentService", method, [this, method](ttrpc::CallContext, std::string bytes) {
            calls_.emplace_back(method);
            if (calls_.back() == "UpdateRoutes") {
              grpc::UpdateRoutesRequest request;
              EXPECT_TRUE(request.ParseFromString(bytes));
              routes_ = request.routes();
            }
            grpc::UpdateInterfaceRequest request;
            if (calls_.back() == "UpdateInterface" && request.ParseFromString(bytes) &&
                request.interface().name() == refused_) {
              return refuse(Error(Code::kInternal, "no such luck"));
            }
            return reply("");
          });
    }
  }
  static types::Interface interface(const std::string& name) {
    types::Interface message;
    message.set_name(name);
    message.set_mtu(1500);
    return message;
  }
  static types::Route route(const std::string& link) {
    types::Route message;
    message.set_device(link);
    message.set_gateway("192.0.2.1");
    return message;
  }
  static types::ARPNeighbor neighbor(const std::string& link, int state) {
    types::ARPNeighbor message;
    message.set_device(link);
    message.set_state(state);
    return message;
  }
  // The calls that telling the network takes now.
  std::vector<std::string> tell() {
    calls_.clear();
    auto done = run(give_network(*agent_, network_, &told_));
    EXPECT_TRUE(done) << done.error().message();
    return calls_;
  }

  network::GuestNetwork network_;
  ToldNetwork told_;
  std::vector<std::string> calls_;
  std::string refused_;
  grpc::Routes routes_;
};

using Calls = std::vector<std::string>;

TEST_F(GuestNetworkTest, OnlyWhatDiffersIsToldAgain) {
  const Calls all = {"UpdateInterface", "UpdateInterface", "UpdateRoutes", "AddARPNeighbors"};
  EXPECT_EQ(tell(), all);
  EXPECT_EQ(tell(), Calls());
  network_.routes.push_back(route("eth0"));
  EXPECT_EQ(tell(), Calls{"UpdateRoutes"});
  // Heard of or not heard of: it is the same neighbour.
  network_.neighbors[0].set_state(0x04);
  EXPECT_EQ(tell(), Calls());
  network_.neighbors.clear();
  EXPECT_EQ(tell(), Calls());
  // An update may cost an interface its routes.
  network_.interfaces[1].message.set_name("lan1");
  const Calls one = {"UpdateInterface", "UpdateRoutes"};
  EXPECT_EQ(tell(), one);
}

TEST_F(GuestNetworkTest, AnotherDeviceOfTheSameNameIsTold) {
  tell();
  network_.interfaces[1].device = "network-2";
  EXPECT_EQ(tell().front(), "UpdateInterface");
}

TEST_F(GuestNetworkTest, ARefusedInterfaceKeepsNobodyFromTheirRoutes) {
  refused_ = "net1";
  auto done = run(give_network(*agent_, network_, &told_));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("interface net1 in the guest"), std::string::npos);
  ASSERT_EQ(routes_.routes_size(), 1);
  EXPECT_EQ(routes_.routes(0).device(), "eth0");
  // It is asked again, and the other one is left in peace.
  done = run(give_network(*agent_, network_, &told_));
  EXPECT_FALSE(done);
  EXPECT_EQ(told_.interfaces.size(), 1u);
}

}  // namespace
}  // namespace kata::runtime
