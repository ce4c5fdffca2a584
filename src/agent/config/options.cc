#include <algorithm>
#include <charconv>
#include <functional>

#include "agent/config/agent_config.h"

namespace kata::agent {
namespace {

// A setter answers false when the value is malformed.
using Setter = bool (*)(std::string_view value, AgentConfig* config);

struct Option {
  std::string_view name;
  bool flag;  // a bare word; with `=` upstream does not recognise it
  Setter set;
};

bool parse_number(std::string_view text, uint64_t limit, uint64_t* out) {
  uint64_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value > limit) return false;
  *out = value;
  return true;
}

bool parse_port(std::string_view text, uint32_t* port) {
  uint64_t value = 0;
  if (!parse_number(text, UINT32_MAX, &value) || value == 0) return false;
  *port = static_cast<uint32_t>(value);
  return true;
}

bool parse_seconds(std::string_view text, std::chrono::seconds* out) {
  constexpr uint64_t kYear = 365 * 24 * 3600;
  uint64_t value = 0;
  if (!parse_number(text, kYear, &value) || value == 0) return false;
  *out = std::chrono::seconds(value);
  return true;
}

constexpr Option kOptions[] = {
    {"log", false,
     [](std::string_view v, AgentConfig* c) { return log::parse_level(v, &c->log_level); }},
    {"server_addr", false,
     [](std::string_view v, AgentConfig* c) {
       if (!v.starts_with("vsock://") && !v.starts_with("unix://")) return false;
       c->server_addr = v;
       return true;
     }},
    {"log_vport", false,
     [](std::string_view v, AgentConfig* c) { return parse_port(v, &c->log_vport); }},
    {"debug_console", true,
     [](std::string_view, AgentConfig* c) { return c->debug_console = true; }},
    {"debug_console_vport", false,
     [](std::string_view v, AgentConfig* c) { return parse_port(v, &c->debug_console_vport); }},
    {"container_pipe_size", false,
     [](std::string_view v, AgentConfig* c) {
       return parse_number(v, INT32_MAX, &c->container_pipe_size);
     }},
    {"hotplug_timeout", false,
     [](std::string_view v, AgentConfig* c) { return parse_seconds(v, &c->hotplug_timeout); }},
    {"resource_view", false,
     [](std::string_view v, AgentConfig* c) {
       c->resource_view = v == "true" || v == "1";
       return c->resource_view || v == "false" || v == "0";
     }},
    {"config_file", false,
     [](std::string_view v, AgentConfig* c) {
       c->config_file = v;
       return !v.empty();
     }},
};

// Upstream's other keys: known, without a subsystem of ours behind them.
constexpr std::string_view kUnserved[] = {"devmode",
                                          "trace",
                                          "passfd_listener_port",
                                          "cdh_api_timeout",
                                          "cdi_timeout",
                                          "no_proxy",
                                          "guest_components_rest_api",
                                          "image_pull_timeout",
                                          "https_proxy",
                                          "mem_agent_enable",
                                          "launch_process_timeout",
                                          "visible_cdi_devices",
                                          "guest_components_procs",
                                          "secure_storage_integrity"};

bool is_unserved(std::string_view name) {
  return std::ranges::find(kUnserved, name) != std::end(kUnserved) ||
         name.starts_with("mem_agent_");
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

}  // namespace

bool apply_option(std::string_view name, bool has_value, std::string_view value,
                  AgentConfig* config) {
  auto option = std::ranges::find(kOptions, name, &Option::name);
  if (option == std::end(kOptions)) {
    if (!is_unserved(name)) return false;
    config->warnings.push_back("agent." + std::string(name) + " has no effect in this agent");
    return true;
  }
  if (option->flag == has_value) {
    config->warnings.push_back(
        "agent." + std::string(name) +
        (has_value ? " takes no value, ignored" : " needs a value, ignored"));
    return true;
  }
  AgentConfig changed = *config;
  if (option->set(value, &changed)) {
    *config = std::move(changed);
  } else {
    config->warnings.push_back("agent." + std::string(name) + "=" + quoted(value) +
                               " is not valid, the default stays");
  }
  return true;
}

}  // namespace kata::agent
