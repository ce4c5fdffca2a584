#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agent/agent.pb.h"
#include "agent/rpc/agent.h"
#include "ttrpc/server.h"
#include "wkt/any.pb.h"

// The two services of the wire (facts/agent-protocol.md section 3), registered by area.
namespace kata::agent {

inline constexpr char kAgentServiceName[] = "grpc.AgentService";
inline constexpr char kHealthServiceName[] = "grpc.Health";

using kata::wkt::Empty;

// One RPC: a coroutine that takes its request by value.
template <class Request, class Response>
using Call = Task<Result<Response>> (*)(Agent&, Request);

template <class Request, class Response>
void add_call(ttrpc::Server& server, Agent& agent, const char* service, const char* method,
              Call<Request, Response> call) {
  server.handle<Request, Response>(
      service, method, [&agent, call](Request request) { return call(agent, std::move(request)); });
}

// One that takes something away, and must know whether anybody still waits for it.
template <class Request, class Response>
using TakingCall = Task<Result<Response>> (*)(Agent&, Request, std::shared_ptr<ttrpc::Caller>);

template <class Request, class Response>
void add_call(ttrpc::Server& server, Agent& agent, const char* service, const char* method,
              TakingCall<Request, Response> call) {
  server.handle<Request, Response>(
      service, method, [&agent, call](Request request, ttrpc::CallContext context) {
        return call(agent, std::move(request), std::move(context.caller));
      });
}

void add_health_calls(ttrpc::Server& server, Agent& agent);
void add_sandbox_calls(ttrpc::Server& server, Agent& agent);
void add_container_calls(ttrpc::Server& server, Agent& agent);
void add_process_calls(ttrpc::Server& server, Agent& agent);
void add_stdio_calls(ttrpc::Server& server, Agent& agent);
void add_network_calls(ttrpc::Server& server, Agent& agent);
void add_guest_calls(ttrpc::Server& server, Agent& agent);
// Calls of the wire without a subsystem behind them: each answers its documented status.
void add_unsupported_calls(ttrpc::Server& server);

void add_all_calls(ttrpc::Server& server, Agent& agent);

}  // namespace kata::agent
