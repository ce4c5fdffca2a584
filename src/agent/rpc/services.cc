#include "agent/rpc/services.h"

#include "agent/health.pb.h"
#include "version.h"

namespace kata::agent {
namespace {

constexpr char kApiVersion[] = "0.0.1";

Task<Result<grpc::HealthCheckResponse>> check(Agent&, grpc::CheckRequest) {
  grpc::HealthCheckResponse response;
  response.set_status(grpc::HealthCheckResponse::SERVING);
  co_return response;
}

Task<Result<grpc::VersionCheckResponse>> version(Agent&, grpc::CheckRequest) {
  grpc::VersionCheckResponse response;
  response.set_grpc_version(kApiVersion);
  response.set_agent_version(kCompatVersion);
  co_return response;
}

Task<Result<std::string>> refuse(Code code, std::string text) {
  co_return fail(code, std::move(text));
}

}  // namespace

Status require_guest(const Agent& agent, const std::string& what) {
  if (agent.config.owns_guest()) return {};
  return fail(Code::kFailedPrecondition, what + ": the agent runs as an ordinary process");
}

void add_health_calls(ttrpc::Server& server, Agent& agent) {
  add_call(server, agent, kHealthServiceName, "Check", &check);
  add_call(server, agent, kHealthServiceName, "Version", &version);
}

void add_unsupported_calls(ttrpc::Server& server) {
  server.handle_raw(kAgentServiceName, "SetPolicy", [](ttrpc::CallContext, std::string) {
    return refuse(Code::kNotFound, "/grpc.AgentService/SetPolicy is not supported");
  });
  for (const char* method : {"MemAgentMemcgSet", "MemAgentCompactSet"}) {
    std::string text = std::string("/") + kAgentServiceName + "/" + method + " is not supported";
    server.handle_raw(kAgentServiceName, method, [text](ttrpc::CallContext, std::string) {
      return refuse(Code::kUnimplemented, text);
    });
  }
}

void add_all_calls(ttrpc::Server& server, Agent& agent) {
  add_health_calls(server, agent);
  add_sandbox_calls(server, agent);
  add_container_calls(server, agent);
  add_process_calls(server, agent);
  add_stdio_calls(server, agent);
  add_network_calls(server, agent);
  add_guest_calls(server, agent);
  add_unsupported_calls(server);
}

}  // namespace kata::agent
