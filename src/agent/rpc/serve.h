#pragma once

#include "agent/rpc/agent.h"

namespace kata::agent {

// Opens the address of the configuration ("vsock://<cid>:<port>" or "unix://<path>").
Result<UniqueFd> open_server_socket(const std::string& address);

// Accepts connections and serves each until the sandbox has ended and every reply is written.
Task<> serve_until_finished(Agent& agent, ttrpc::Server& server, UniqueFd socket);

}  // namespace kata::agent
