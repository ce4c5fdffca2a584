#include "agent/device/pci_path.h"
#include "agent/network/interfaces.h"
#include "agent/network/pod_network.h"
#include "agent/network/routes.h"
#include "agent/process/run_tool.h"
#include "agent/rpc/services.h"
#include "base/file.h"

namespace kata::agent {
namespace {

// Waits until the PCI function shows a network link.
Task<Status> await_network_device(Agent& agent, std::string device_path) {
  CO_TRY(PciPath path, PciPath::parse(device_path));
  auto look = [path]() -> std::optional<std::string> {
    auto folder = pci_sysfs_folder("/sys", path);
    if (!folder) return std::nullopt;
    auto names = list_dir(*folder);
    if (!names) return std::nullopt;
    for (const auto& name : *names) {
      if (!name.starts_with("virtio")) continue;
      if (path_exists(*folder + "/" + name + "/net")) return name;
    }
    if (path_exists(*folder + "/net")) return *folder;
    return std::nullopt;
  };
  CO_TRY(auto found,
         co_await agent.uevents.await_device("network device at " + device_path, std::move(look),
                                             agent.config.hotplug_timeout));
  co_return Status{};
}

Task<Result<types::Interface>> call_update_interface(Agent& agent,
                                                     grpc::UpdateInterfaceRequest request) {
  CO_TRY_STATUS(require_guest(agent, "change interfaces"));
  if (!request.has_interface()) co_return fail(Code::kInvalidArgument, "request without interface");
  types::Interface wanted = request.interface();
  const int outer = agent.sandbox.outer_network();
  // An interface that was fetched already shows nowhere in /sys: only a new one is waited for.
  const bool there = outer >= 0 && has_interface(wanted.hwaddr());
  if (there) wanted.clear_devicepath();
  if (!wanted.devicepath().empty()) {
    CO_TRY_STATUS(co_await await_network_device(agent, wanted.devicepath()));
  }
  if (outer >= 0 && !there) CO_TRY_STATUS(fetch_interface(outer, &wanted));
  CO_TRY_STATUS(update_interface(wanted));
  co_return std::move(*request.mutable_interface());
}

Task<Result<grpc::Routes>> call_update_routes(Agent& agent, grpc::UpdateRoutesRequest request) {
  CO_TRY_STATUS(require_guest(agent, "change routes"));
  CO_TRY_STATUS(update_routes(request.routes()));
  co_return list_routes();
}

Task<Result<Empty>> call_add_neighbors(Agent& agent, grpc::AddARPNeighborsRequest request) {
  CO_TRY_STATUS(require_guest(agent, "add neighbours"));
  CO_TRY_STATUS(add_neighbors(request.neighbors()));
  co_return Empty();
}

Task<Result<grpc::Interfaces>> call_list_interfaces(Agent&, grpc::ListInterfacesRequest) {
  co_return list_interfaces();
}

Task<Result<grpc::Routes>> call_list_routes(Agent&, grpc::ListRoutesRequest) {
  co_return list_routes();
}

Task<Result<std::string>> run_tables_tool(bool v6, std::string verb, std::string input) {
  std::string name = std::string(v6 ? "ip6tables-" : "iptables-") + verb;
  CO_TRY(std::string tool, find_tool({"/usr/sbin/" + name, "/sbin/" + name}));
  std::vector<std::string> argv = {tool};
  if (verb == "restore") argv.insert(argv.end(), {"--wait", "5"});
  CO_TRY(ToolOutput output, co_await run_tool(std::move(argv), std::move(input)));
  if (output.code != 0) {
    co_return fail(Code::kInternal,
                   name + " ended with " + std::to_string(output.code) + ": " + output.err);
  }
  co_return std::move(output.out);
}

Task<Result<grpc::GetIPTablesResponse>> get_ip_tables(Agent& agent,
                                                      grpc::GetIPTablesRequest request) {
  CO_TRY_STATUS(require_guest(agent, "read packet filter"));
  grpc::GetIPTablesResponse response;
  CO_TRY(*response.mutable_data(), co_await run_tables_tool(request.is_ipv6(), "save", {}));
  co_return response;
}

Task<Result<grpc::SetIPTablesResponse>> set_ip_tables(Agent& agent,
                                                      grpc::SetIPTablesRequest request) {
  CO_TRY_STATUS(require_guest(agent, "change packet filter"));
  grpc::SetIPTablesResponse response;
  CO_TRY(*response.mutable_data(), co_await run_tables_tool(request.is_ipv6(), "restore",
                                                            std::move(*request.mutable_data())));
  co_return response;
}

}  // namespace

void add_network_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kAgentServiceName, "UpdateInterface", &call_update_interface);
  add_call(server, agent, kAgentServiceName, "UpdateRoutes", &call_update_routes);
  add_call(server, agent, kAgentServiceName, "AddARPNeighbors", &call_add_neighbors);
  add_call(server, agent, kAgentServiceName, "ListInterfaces", &call_list_interfaces);
  add_call(server, agent, kAgentServiceName, "ListRoutes", &call_list_routes);
  add_call(server, agent, kAgentServiceName, "GetIPTables", &get_ip_tables);
  add_call(server, agent, kAgentServiceName, "SetIPTables", &set_ip_tables);
}

}  // namespace kata::agent
