#include "shim/sandbox/pod_request.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "cri/pod.pb.h"
#include "oci/annotations.h"
#include "oci/spec.h"
#include "shim/task/any.h"

namespace kata::shim {

namespace {

namespace cri = ::runtime::v1;
using containerd::runtime::sandbox::v1::CreateSandboxRequest;

constexpr std::string_view kKataAnnotations = "io.katacontainers.";
constexpr std::string_view kHypervisorAnnotations = "io.katacontainers.config.hypervisor.";
constexpr size_t kMaxHostFile = 1 << 20;

// Nothing for a client that knows no pods.
Result<std::optional<cri::PodSandboxConfig>> pod_config(const kata::wkt::Any& options) {
  if (options.type_url().empty()) return std::nullopt;
  cri::PodSandboxConfig config;
  if (!type_is(options, config.GetTypeName())) {
    return fail(Code::kInvalidArgument, "options of a sandbox cannot be a \"" + options.type_url() +
                                            "\", only a " + config.GetTypeName());
  }
  if (!config.ParseFromString(options.value())) {
    return fail(Code::kInvalidArgument, "malformed " + config.GetTypeName());
  }
  return config;
}

Result<grpc::Spec> base_spec(const std::string& bundle) {
  const std::string file = bundle + "/config.json";
  if (!path_exists(file)) return grpc::Spec();
  TRY(std::string text, read_file(file, oci::kMaxDocumentSize));
  return oci::parse_spec(text);
}

grpc::LinuxNamespace* network_of(grpc::Spec* spec) {
  for (auto& entry : *spec->mutable_linux()->mutable_namespaces()) {
    if (entry.type() == "network") return &entry;
  }
  return nullptr;
}

bool maps_root(const google::protobuf::RepeatedPtrField<cri::IDMapping>& maps) {
  return std::ranges::any_of(
      maps, [](const cri::IDMapping& map) { return map.container_id() == 0 && map.length() > 0; });
}

// What containerd's own sandboxes refuse, it leaves to us on this way; the containers that ask for
// the namespace come later.
Status check_user_namespace(const cri::NamespaceOption& namespaces) {
  if (!namespaces.has_userns_options()) return {};
  const cri::UserNamespace& wanted = namespaces.userns_options();
  if (wanted.mode() == cri::NODE) return {};
  if (wanted.mode() != cri::POD) {
    return fail(Code::kInvalidArgument, "a user namespace can be the pod's or the node's, not " +
                                            cri::NamespaceMode_Name(wanted.mode()));
  }
  if (!maps_root(wanted.uids()) || !maps_root(wanted.gids())) {
    return fail(Code::kInvalidArgument, "id 0 is not mapped in the user namespace of the pod");
  }
  return {};
}

// No entry at all means the host's network, which the engine refuses.
void set_network(const CreateSandboxRequest& request, const cri::NamespaceOption& namespaces,
                 grpc::Spec* spec) {
  if (request.netns_path().empty() && namespaces.network() == cri::NODE) return;
  grpc::LinuxNamespace* network = network_of(spec);
  if (!network) {
    network = spec->mutable_linux()->add_namespaces();
    network->set_type("network");
  }
  if (!request.netns_path().empty()) network->set_path(request.netns_path());
}

// As the kubelet's cgroup driver wants it (facts/shim-v2.md section 14.4).
std::string cgroups_path(const std::string& parent, const std::string& id) {
  if (!parent.ends_with(".slice")) return parent + "/" + id;
  return basename(parent) + ":cri-containerd:" + id;
}

void set_annotations(const CreateSandboxRequest& request, const cri::PodSandboxConfig& pod,
                     grpc::Spec* spec) {
  auto& annotations = *spec->mutable_annotations();
  // containerd does not filter those of the pod on this way (pod_annotations of the handler), so
  // that only those remain which enable_annotations decides upon.
  for (const auto& [key, value] : pod.annotations()) {
    if (key.starts_with(kHypervisorAnnotations)) annotations[key] = value;
  }
  for (const auto& [key, value] : request.annotations()) {
    if (key.starts_with(kKataAnnotations)) annotations[key] = value;
  }
  annotations["io.kubernetes.cri.container-type"] = "sandbox";
  annotations["io.kubernetes.cri.sandbox-id"] = request.sandbox_id();
  annotations["io.kubernetes.cri.sandbox-name"] = pod.metadata().name();
  annotations["io.kubernetes.cri.sandbox-namespace"] = pod.metadata().namespace_();
  annotations["io.kubernetes.cri.sandbox-uid"] = pod.metadata().uid();
  annotations["io.kubernetes.cri.sandbox-log-directory"] = pod.log_directory();
  if (!pod.linux().has_resources()) return;
  const cri::LinuxContainerResources& sums = pod.linux().resources();
  annotations["io.kubernetes.cri.sandbox-cpu-period"] = std::to_string(sums.cpu_period());
  annotations["io.kubernetes.cri.sandbox-cpu-quota"] = std::to_string(sums.cpu_quota());
  annotations["io.kubernetes.cri.sandbox-cpu-shares"] = std::to_string(sums.cpu_shares());
  annotations["io.kubernetes.cri.sandbox-memory"] = std::to_string(sums.memory_limit_in_bytes());
}

std::string joined(const char* word,
                   const google::protobuf::RepeatedPtrField<std::string>& values) {
  if (values.empty()) return "";
  std::string line = word;
  for (const std::string& value : values) line += " " + value;
  return line + "\n";
}

std::string resolv_conf(const cri::DNSConfig& dns) {
  std::string text = joined("search", dns.searches());
  for (const std::string& server : dns.servers()) text += "nameserver " + server + "\n";
  return text + joined("options", dns.options());
}

std::string host_file(const char* path) {
  auto text = read_file(path, kMaxHostFile);
  if (text) return std::move(*text);
  log::failure("the pod gets an empty file", text.error(), {{"file", path}});
  return "";
}

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// What containerd's own sandboxes have too: unprivileged processes may use any port and ping.
void add_usual_sysctls(bool user_namespace, std::map<std::string, std::string>* sysctls) {
  sysctls->insert({"net.ipv4.ip_unprivileged_port_start", "0"});
  if (!user_namespace) sysctls->insert({"net.ipv4.ping_group_range", "0 2147483647"});
}

runtime::PodSettings settings_of(const cri::PodSandboxConfig& pod) {
  const auto& namespaces = pod.linux().security_context().namespace_options();
  runtime::PodSettings settings;
  settings.files["/etc/hostname"] = (pod.hostname().empty() ? host_name() : pod.hostname()) + "\n";
  settings.files["/etc/hosts"] = host_file("/etc/hosts");
  settings.files["/etc/resolv.conf"] =
      pod.has_dns_config() ? resolv_conf(pod.dns_config()) : host_file("/etc/resolv.conf");
  settings.sysctls = {pod.linux().sysctls().begin(), pod.linux().sysctls().end()};
  const bool user_namespace =
      namespaces.has_userns_options() && namespaces.userns_options().mode() == cri::POD;
  add_usual_sysctls(user_namespace, &settings.sysctls);
  settings.shares_pids = namespaces.pid() == cri::POD;
  return settings;
}

}  // namespace

Result<runtime::SandboxRequest> pod_request(const CreateSandboxRequest& request) {
  if (!request.bundle_path().starts_with('/')) {
    return fail(Code::kInvalidArgument,
                "bundle_path \"" + request.bundle_path() + "\" is not absolute");
  }
  if (request.rootfs_size() > 0) log::warn("the sandbox is a VM: its rootfs is not used");
  TRY(auto config, pod_config(request.options()));
  runtime::SandboxRequest wanted;
  wanted.id = request.sandbox_id();
  wanted.bundle = request.bundle_path();
  TRY(wanted.spec, in_step("bundle " + wanted.bundle, base_spec(wanted.bundle)));
  // Mounts and hooks would be those of a container that is not there.
  wanted.spec.clear_mounts();
  wanted.spec.clear_hooks();
  const cri::PodSandboxConfig pod = config.value_or(cri::PodSandboxConfig());
  TRY_STATUS(check_user_namespace(pod.linux().security_context().namespace_options()));
  if (!pod.hostname().empty()) wanted.spec.set_hostname(pod.hostname());
  if (const std::string& parent = pod.linux().cgroup_parent(); !parent.empty()) {
    wanted.spec.mutable_linux()->set_cgroupspath(cgroups_path(parent, wanted.id));
  }
  set_network(request, pod.linux().security_context().namespace_options(), &wanted.spec);
  set_annotations(request, pod, &wanted.spec);
  if (config) wanted.pod = settings_of(pod);
  return wanted;
}

}  // namespace kata::shim
