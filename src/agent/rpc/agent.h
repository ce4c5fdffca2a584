#pragma once

#include "agent/config/agent_config.h"
#include "agent/device/uevents.h"
#include "agent/sandbox/sandbox.h"
#include "agent/storage/storage_set.h"
#include "ttrpc/server.h"

namespace kata::agent {

// Everything the calls work on. One per process, made by main(), outlives the server.
struct Agent {
  Agent(asio::any_io_executor loop, AgentConfig settings, bool pid1)
      : executor(loop),
        config(std::move(settings)),
        is_init(pid1),
        uevents(loop),
        views(config.run_dir + "/.view"),  // no container has such an id
        sandbox(loop),
        storages(config, uevents) {}
  Agent(const Agent&) = delete;

  asio::any_io_executor executor;
  const AgentConfig config;
  const bool is_init;  // PID 1 of the guest
  UeventMonitor uevents;
  ContainerViews views;  // outlives the containers
  Sandbox sandbox;
  StorageSet storages;
};

// kFailedPrecondition unless the machine is ours to change.
Status require_guest(const Agent& agent, const std::string& what);

}  // namespace kata::agent
