#include "runtime/guest_network.h"

#include <algorithm>

namespace kata::runtime {

namespace {

// How long a guest may need to find a NIC that it has; slow guests need seconds.
constexpr Clock::duration kDriverLimit = 60s;
constexpr Clock::duration kFirstPause = 20ms;
constexpr Clock::duration kLongestPause = 500ms;

// The agent's words for "not yet" (facts/agent-protocol.md).
bool link_is_missing(const Status& status) {
  return !status && status.error().message().find("Link not found") != std::string::npos;
}

Task<Status> give_interface(AgentClient& agent, types::Interface wanted) {
  const auto limit = Clock::now() + kDriverLimit;
  Clock::duration pause = kFirstPause;
  while (true) {
    Status done = co_await agent.update_interface(wanted);
    if (!link_is_missing(done) || Clock::now() > limit) co_return done;
    co_await sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

// Sends those that differ. `given` says whether any did; names of failed ones go to `failed`.
Task<Status> give_interfaces(AgentClient& agent, const network::GuestNetwork& network,
                             ToldNetwork* told, bool* given, std::set<std::string>* failed) {
  Status first;
  std::map<std::string, std::string> before;
  std::swap(before, told->interfaces);
  for (const auto& [device, message] : network.interfaces) {
    std::string now = message.SerializeAsString();
    if (auto at = before.find(device); at != before.end() && at->second == now) {
      told->interfaces[device] = std::move(now);
      continue;
    }
    *given = true;
    auto done = co_await give_interface(agent, message);
    if (done) {
      told->interfaces[device] = std::move(now);
      continue;
    }
    failed->insert(message.name());
    if (first) first = in_step("interface " + message.name() + " in the guest", std::move(done));
  }
  co_return first;
}

Task<Status> give_routes(AgentClient& agent, const grpc::Routes& routes, bool anew,
                         ToldNetwork* told) {
  std::string now = routes.SerializeAsString();
  if (now == told->routes && !anew) co_return Status{};
  told->routes.clear();
  if (routes.routes().empty()) co_return Status{};
  auto given = co_await agent.update_routes(routes);
  CO_TRY_STATUS(in_step("routes in the guest", std::move(given)));
  told->routes = std::move(now);
  co_return Status{};
}

// Whether a neighbour was heard of lately is no news.
std::string without_state(types::ARPNeighbor neighbor) {
  neighbor.clear_state();
  return neighbor.SerializeAsString();
}

Task<Status> give_neighbors(AgentClient& agent, const grpc::ARPNeighbors& neighbors, bool anew,
                            ToldNetwork* told) {
  std::set<std::string> now;
  for (const auto& entry : neighbors.arpneighbors()) now.insert(without_state(entry));
  if (!anew && std::ranges::includes(told->neighbors, now)) co_return Status{};
  told->neighbors.clear();
  if (now.empty()) co_return Status{};
  auto given = co_await agent.add_neighbors(neighbors);
  // An agent of before this call existed.
  if (!given && given.error().code() == Code::kUnimplemented) given = {};
  CO_TRY_STATUS(in_step("neighbours in the guest", std::move(given)));
  told->neighbors = std::move(now);
  co_return Status{};
}

}  // namespace

Task<Status> give_network(AgentClient& agent, network::GuestNetwork network, ToldNetwork* told) {
  bool anew = false;
  std::set<std::string> failed;
  Status first = co_await give_interfaces(agent, network, told, &anew, &failed);
  grpc::Routes routes;
  for (auto& route : network.routes) {
    if (!failed.contains(route.device())) *routes.add_routes() = std::move(route);
  }
  // A renamed link has lost its own.
  Status done = co_await give_routes(agent, routes, anew, told);
  if (first) first = std::move(done);
  grpc::ARPNeighbors neighbors;
  for (auto& entry : network.neighbors) {
    if (!failed.contains(entry.device())) *neighbors.add_arpneighbors() = std::move(entry);
  }
  done = co_await give_neighbors(agent, neighbors, anew, told);
  co_return first ? done : first;
}

}  // namespace kata::runtime
