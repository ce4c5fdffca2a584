#include "oci/annotations.h"

#include <array>

namespace kata::oci {
namespace {

struct Manager {
  const char* type_key;
  const char* sandbox_word;
  const char* container_word;
  const char* sandbox_id_key;
};

// The first key that is present decides.
constexpr std::array<Manager, 3> kManagers = {{
    {"io.kubernetes.cri.container-type", "sandbox", "container", "io.kubernetes.cri.sandbox-id"},
    {"io.kubernetes.cri-o.ContainerType", "sandbox", "container", "io.kubernetes.cri-o.SandboxID"},
    {"io.kubernetes.docker.type", "podsandbox", "container", "io.kubernetes.sandbox.id"},
}};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string_view container_type_name(ContainerType type) {
  switch (type) {
    case ContainerType::kPodSandbox:
      return "pod_sandbox";
    case ContainerType::kPodContainer:
      return "pod_container";
    case ContainerType::kSingleContainer:
      break;
  }
  return "single_container";
}

void drop_unfiltered(grpc::Spec* spec) {
  constexpr std::string_view kContainerd = "io.kubernetes.cri.";
  constexpr std::string_view kOurs = "io.katacontainers.";
  constexpr std::string_view kGated = "io.katacontainers.config.hypervisor.";
  auto& annotations = *spec->mutable_annotations();
  for (auto it = annotations.begin(); it != annotations.end();) {
    const std::string_view key = it->first;
    const bool drop =
        key.starts_with(kContainerd) || (key.starts_with(kOurs) && !key.starts_with(kGated));
    it = drop ? annotations.erase(it) : std::next(it);
  }
}

std::string_view annotation(const grpc::Spec& spec, std::string_view key) {
  auto it = spec.annotations().find(std::string(key));
  return it == spec.annotations().end() ? std::string_view() : std::string_view(it->second);
}

Result<ContainerType> container_type(const grpc::Spec& spec) {
  for (const Manager& manager : kManagers) {
    auto it = spec.annotations().find(manager.type_key);
    if (it == spec.annotations().end()) continue;
    if (it->second == manager.sandbox_word) return ContainerType::kPodSandbox;
    if (it->second == manager.container_word) return ContainerType::kPodContainer;
    return fail(Code::kInvalidArgument, "annotation " + std::string(manager.type_key) +
                                            ": unknown container type \"" + it->second + "\"");
  }
  return ContainerType::kSingleContainer;
}

Result<std::string> sandbox_id(const grpc::Spec& spec, std::string_view own_id) {
  TRY(ContainerType type, container_type(spec));
  if (type != ContainerType::kPodContainer) {
    TRY_STATUS(check_id(own_id));
    return std::string(own_id);
  }
  for (const Manager& manager : kManagers) {
    std::string_view id = annotation(spec, manager.sandbox_id_key);
    if (id.empty()) continue;
    TRY_STATUS(in_step("annotation " + std::string(manager.sandbox_id_key), check_id(id)));
    return std::string(id);
  }
  return fail(Code::kInvalidArgument,
              "the container belongs to a pod, but no annotation names its sandbox");
}

void make_pod_container(grpc::Spec* spec, const std::string& sandbox_id) {
  auto* annotations = spec->mutable_annotations();
  (*annotations)[kManagers[0].type_key] = kManagers[0].container_word;
  (*annotations)[kManagers[0].sandbox_id_key] = sandbox_id;
}

Status check_id(std::string_view id) {
  constexpr size_t kMaxId = 128;
  bool good = !id.empty() && id.size() <= kMaxId && is_alphanumeric(id.front());
  for (char c : id) good &= is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  if (good) return {};
  return fail(
      Code::kInvalidArgument,
      "\"" + std::string(id.substr(0, kMaxId)) +
          "\" is not a valid id: a letter or digit, then letters, digits, '.', '_', '-', at "
          "most 128 in all");
}

}  // namespace kata::oci
