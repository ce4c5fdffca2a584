#include "config/key_macros.h"

// Rows of [factory], [agent.<name>] and [runtime]: facts/configuration.md sections 4, 5 and 6.
namespace kata::config {
namespace {

using enum Effect;

constexpr std::string_view kNetworkWords[] = {"tcfilter", "macvtap", "none", "l3forwarding"};
constexpr std::string_view kEmptyDirWords[] = {"shared-fs", "block-encrypted", "block-plain"};
constexpr std::string_view kVfioModeWords[] = {"guest-kernel", "vfio"};
constexpr std::string_view kLevelWords[] = {"trace", "debug",    "info",   "warn",
                                            "error", "critical", "warning"};

constexpr Key kFactory[] = {
    {.name = "enable_template", .field = KATA_HV(factory.enable_template), .effect = kAccepted},
    {.name = "template_path",
     .field = KATA_HV(factory.template_path),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "vm_cache_number",
     .field = KATA_HV(factory.vm_cache_number),
     .effect = kAccepted,
     .max = 10'000},
    {.name = "vm_cache_endpoint",
     .field = KATA_HV(factory.vm_cache_endpoint),
     .effect = kAccepted,
     .zero_is_default = true},
};

constexpr Key kAgent[] = {
    {.name = "enable_debug", .field = KATA_AGENT(enable_debug)},
    {.name = "enable_tracing", .field = KATA_AGENT(enable_tracing), .effect = kAccepted},
    {.name = "kernel_modules", .field = KATA_AGENT(kernel_modules)},
    {.name = "debug_console_enabled", .field = KATA_AGENT(debug_console_enabled)},
    {.name = "dial_timeout",
     .field = KATA_AGENT(dial_timeout),
     .max = kMaxSeconds,
     .zero_is_default = true},
    // The other dialect's total; its template value of 3 s is what slow hosts fail on, so it only
    // ever lengthens dial_timeout (settle.cc).
    {.name = "reconnect_timeout_ms",
     .field = KATA_AGENT(reconnect_timeout),
     .max = kMaxSeconds * 1000,
     .unit = 1,
     .zero_is_default = true},
    {.name = "dial_timeout_ms", .effect = kHistoric},
    {.name = "cdh_api_timeout",
     .field = KATA_AGENT(cdh_api_timeout),
     .effect = kAccepted,
     .max = kMaxSeconds,
     .zero_is_default = true},
    {.name = "cdh_api_timeout_ms",
     .field = KATA_AGENT(cdh_api_timeout),
     .effect = kAccepted,
     .max = kMaxSeconds * 1000,
     .unit = 1,
     .zero_is_default = true},
    {.name = "create_container_timeout",
     .field = KATA_RUNTIME(create_container_timeout),
     .max = kMaxSeconds,
     .zero_is_default = true},
    {.name = "request_timeout_ms",
     .field = KATA_AGENT(request_timeout),
     .max = kMaxSeconds * 1000,
     .unit = 1,
     .zero_is_default = true},
    {.name = "health_check_request_timeout_ms",
     .field = KATA_AGENT(health_check_request_timeout),
     .max = kMaxSeconds * 1000,
     .unit = 1,
     .zero_is_default = true},
    {.name = "launch_process_timeout",
     .field = KATA_AGENT(launch_process_timeout),
     .effect = kAccepted,
     .max = kMaxSeconds,
     .zero_is_default = true},
    {.name = "resource_view", .field = KATA_AGENT(resource_view)},
    {.name = "container_pipe_size", .field = KATA_AGENT(container_pipe_size), .max = 1 << 30},
    {.name = "log_level",
     .field = KATA_AGENT(log_level),
     .words = kLevelWords,
     .zero_is_default = true},
    {.name = "policy", .field = KATA_AGENT(policy), .effect = kAccepted},
    {.name = "server_port",
     .field = KATA_AGENT(server_port),
     .max = kMaxPort,
     .zero_is_default = true},
    {.name = "log_port",
     .field = KATA_AGENT(log_port),
     .effect = kAccepted,
     .max = kMaxPort,
     .zero_is_default = true},
    {.name = "passfd_listener_port", .effect = kAccepted},
    {.name = "visible_cdi_devices", .effect = kAccepted},
    {.name = "mem_agent", .effect = kAccepted},
    {.name = "trace_mode", .effect = kHistoric},
    {.name = "trace_type", .effect = kHistoric},
};

constexpr Key kRuntime[] = {
    {.name = "enable_debug", .field = KATA_RUNTIME(enable_debug)},
    {.name = "internetworking_model",
     .field = KATA_RUNTIME_CHOICE(internetworking_model),
     .words = kNetworkWords,
     .zero_is_default = true},
    {.name = "disable_new_netns", .field = KATA_RUNTIME(disable_new_netns)},
    {.name = "disable_guest_seccomp", .field = KATA_RUNTIME(disable_guest_seccomp)},
    {.name = "guest_selinux_label",
     .field = KATA_RUNTIME(guest_selinux_label),
     .effect = kAccepted},
    {.name = "enable_vcpus_pinning",
     .field = KATA_RUNTIME(enable_vcpus_pinning),
     .effect = kAccepted},
    {.name = "sandbox_cgroup_only", .field = KATA_RUNTIME(sandbox_cgroup_only)},
    {.name = "static_sandbox_resource_mgmt", .field = KATA_RUNTIME(static_sandbox_resource_mgmt)},
    {.name = "sandbox_bind_mounts", .field = KATA_RUNTIME(sandbox_bind_mounts)},
    {.name = "vfio_mode",
     .field = KATA_RUNTIME(vfio_mode),
     .effect = kAccepted,
     .words = kVfioModeWords,
     .zero_is_default = true},
    {.name = "disable_guest_empty_dir",
     .field = KATA_RUNTIME(disable_guest_empty_dir),
     .effect = kAccepted},
    {.name = "emptydir_mode",
     .field = KATA_RUNTIME_CHOICE(emptydir_mode),
     .effect = kAccepted,
     .words = kEmptyDirWords,
     .zero_is_default = true},
    {.name = "create_container_timeout",
     .field = KATA_RUNTIME(create_container_timeout),
     .max = kMaxSeconds,
     .zero_is_default = true},
    {.name = "experimental", .field = KATA_RUNTIME(experimental), .effect = kAccepted},
    {.name = "experimental_force_guest_pull",
     .field = KATA_RUNTIME(experimental_force_guest_pull),
     .effect = kAccepted},
    {.name = "enable_tracing", .field = KATA_RUNTIME(enable_tracing), .effect = kAccepted},
    {.name = "jaeger_endpoint", .field = KATA_RUNTIME(jaeger_endpoint), .effect = kAccepted},
    {.name = "jaeger_user", .field = KATA_RUNTIME(jaeger_user), .effect = kAccepted},
    {.name = "jaeger_password", .field = KATA_RUNTIME(jaeger_password), .effect = kAccepted},
    {.name = "enable_pprof", .field = KATA_RUNTIME(enable_pprof)},
    {.name = "dan_conf",
     .field = KATA_RUNTIME(dan_conf),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "kubelet_root_dir",
     .field = KATA_RUNTIME(kubelet_root_dir),
     .effect = kAccepted,
     .zero_is_default = true},
    {.name = "pod_resource_api_sock",
     .field = KATA_RUNTIME(pod_resource_api_sock),
     .effect = kAccepted},
    {.name = "keep_abnormal", .field = KATA_RUNTIME(keep_abnormal), .effect = kAccepted},
    {.name = "log_level",
     .field = KATA_RUNTIME(log_level),
     .words = kLevelWords,
     .zero_is_default = true},
    {.name = "hypervisor_name", .field = KATA_RUNTIME(hypervisor_name)},
    {.name = "agent_name", .field = KATA_RUNTIME(agent_name), .zero_is_default = true},
    {.name = "name", .effect = kAccepted},
    {.name = "use_passfd_io", .effect = kAccepted},
    {.name = "passfd_listener_port", .effect = kAccepted},
    {.name = "shared_mounts", .effect = kAccepted},
    {.name = "enable_netmon", .effect = kHistoric},
    {.name = "enable_agent_pidns", .effect = kHistoric},
};

}  // namespace

std::span<const Key> factory_keys() {
  return kFactory;
}
std::span<const Key> agent_keys() {
  return kAgent;
}
std::span<const Key> runtime_keys() {
  return kRuntime;
}

}  // namespace kata::config
