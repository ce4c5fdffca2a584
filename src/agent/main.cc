#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "agent/config/command_line.h"
#include "agent/console/debug_console.h"
#include "agent/container/launcher.h"
#include "agent/init/guest_init.h"
#include "agent/log/log_output.h"
#include "agent/network/port_forward.h"
#include "agent/process/orphans.h"
#include "agent/rpc/serve.h"
#include "agent/rpc/services.h"
#include "base/log.h"
#include "version.h"

namespace kata::agent {
namespace {

void announce(const AgentConfig& config, bool is_init) {
  log::info("announce", {{"agent-version", kVersion},
                         {"api-version", "0.0.1"},
                         {"agent-type", "kata-cpp"},
                         {"init-mode", is_init ? "true" : "false"},
                         {"server-addr", config.server_addr}});
  for (const auto& warning : config.warnings) log::warn(warning);
}

// Everything that runs beside the server.
void start_background(Agent& agent) {
  const AgentConfig& config = agent.config;
  if (auto started = agent.uevents.start(); !started) log::failure("uevents", started.error());
  spawn(agent.executor, reap_orphans());
  if (!config.owns_guest()) return;
  spawn(agent.executor, serve_port_forward());
  if (config.log_vport > 0) spawn(agent.executor, serve_log_port(config.log_vport));
  if (config.debug_console) {
    spawn(agent.executor, serve_debug_console(config.debug_console_vport));
  }
}

Status serve(AgentConfig config, bool is_init) {
  asio::io_context loop(1);
  Agent agent(loop.get_executor(), std::move(config), is_init);
  ttrpc::Server server(Code::kInvalidArgument);
  add_all_calls(server, agent);
  start_background(agent);
  TRY(UniqueFd socket, open_server_socket(agent.config.server_addr));
  log::info("ttrpc server started", {{"address", agent.config.server_addr}});
  asio::co_spawn(loop, serve_until_finished(agent, server, std::move(socket)),
                 [&loop](std::exception_ptr) { loop.stop(); });
  loop.run();
  return {};
}

int run(int argc, char** argv) {
  // Memory of a guest is paid once per pod: one heap, given back early. Buffers of stdio come from
  // it, as a mapping of its own for each would cost more than the copy. A read of output is in it
  // once, up to 256 KiB, and finds the pages of the one before.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 768 << 10);
  auto arguments = parse_command_line(argc, argv);
  if (!arguments) {
    fprintf(stderr, "kata-agent: %s\n", arguments.error().message().c_str());
    return 2;
  }
  if (arguments->show_version) {
    printf("kata-agent %s (compatible with %s)\n", kVersion, kCompatVersion);
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  const bool is_init = getpid() == 1;
  log_to_fd(STDOUT_FILENO);
  if (is_init) init_early(argv);
  AgentConfig config = load_config(*arguments);
  log::set_level(config.log_level);
  if (is_init) init_late();
  become_subreaper();
  if (config.owns_guest()) protect_from_oom();
  announce(config, is_init);
  auto served = serve(std::move(config), is_init);
  if (!served) log::failure("the agent ends", served.error());
  if (is_init) power_off();
  return served ? 0 : 1;
}

}  // namespace
}  // namespace kata::agent

int main(int argc, char** argv) {
  if (kata::agent::is_container_init(argc, argv)) {
    return kata::agent::container_init_main(argc, argv);
  }
  return kata::agent::run(argc, argv);
}
