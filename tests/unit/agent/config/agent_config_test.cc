#include "agent/config/agent_config.h"

#include <gtest/gtest.h>

#include <chrono>

namespace kata::agent {
namespace {

using std::chrono::seconds;

AgentConfig parse(std::string_view line) {
  AgentConfig config;
  parse_kernel_command_line(line, &config);
  return config;
}

TEST(KernelCommandLine, DefaultsWithoutAgentWords) {
  AgentConfig config = parse("quiet panic=1 console=hvc0 root=/dev/vda1\n");
  EXPECT_EQ(config.server_addr, "vsock://-1:1024");
  EXPECT_EQ(config.log_level, log::Level::kInfo);
  EXPECT_EQ(config.hotplug_timeout, seconds(3));
  EXPECT_TRUE(config.warnings.empty());
}

TEST(KernelCommandLine, ReadsEveryKeyInAnyOrder) {
  AgentConfig config = parse(
      "agent.debug_console_vport=1026 quiet agent.debug_console agent.log_vport=1025 "
      "agent.hotplug_timeout=17 agent.container_pipe_size=65536 agent.log=debug "
      "agent.server_addr=unix:///run/a.sock");
  EXPECT_TRUE(config.debug_console);
  EXPECT_EQ(config.debug_console_vport, 1026u);
  EXPECT_EQ(config.log_vport, 1025u);
  EXPECT_EQ(config.hotplug_timeout, seconds(17));
  EXPECT_EQ(config.container_pipe_size, 65536u);
  EXPECT_EQ(config.log_level, log::Level::kDebug);
  EXPECT_EQ(config.server_addr, "unix:///run/a.sock");
  EXPECT_TRUE(config.warnings.empty());
}

TEST(KernelCommandLine, BadValuesKeepTheDefaultAndWarn) {
  for (const char* line :
       {"agent.hotplug_timeout=soon", "agent.hotplug_timeout=0", "agent.hotplug_timeout=-1",
        "agent.log=loud", "agent.log_vport=99999999999", "agent.log_vport=0x10",
        "agent.container_pipe_size=1k", "agent.server_addr=", "agent.hotplug_timeout",
        "agent.debug_console=true"}) {
    AgentConfig config = parse(line);
    EXPECT_EQ(config.warnings.size(), 1u) << line;
    EXPECT_EQ(config.hotplug_timeout, seconds(3)) << line;
    EXPECT_EQ(config.log_level, log::Level::kInfo) << line;
    EXPECT_EQ(config.log_vport, 0u) << line;
    EXPECT_EQ(config.server_addr, "vsock://-1:1024") << line;
    EXPECT_FALSE(config.debug_console) << line;
  }
}

TEST(KernelCommandLine, UnknownAndUnservedKeysWarnOnly) {
  EXPECT_EQ(
      parse("agent.no_such_key=1 agent.trace agent.mem_agent_compact_order=3").warnings.size(), 3u);
}

TEST(ConfigFile, ReadsFlatKeysAndWarnsOnTheRest) {
  AgentConfig config;
  parse_config_text(
      "# comment\nlog = \"debug\"\nhotplug_timeout = 9 # why\ndebug_console = true\n"
      "[table]\nlog = \"error\"\nbroken\n",
      &config);
  EXPECT_EQ(config.log_level, log::Level::kDebug);
  EXPECT_EQ(config.hotplug_timeout, seconds(9));
  EXPECT_TRUE(config.debug_console);
  EXPECT_EQ(config.warnings.size(), 1u);
}

TEST(ConfigFile, MissingFileIsAnError) {
  AgentConfig config;
  EXPECT_FALSE(apply_config_file("/nonexistent/agent.toml", &config));
}

}  // namespace
}  // namespace kata::agent
