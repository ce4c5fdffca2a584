#include "oci/namespaces.h"

#include "oci/annotations.h"

namespace kata::oci {

const grpc::LinuxNamespace* find_namespace(const grpc::Spec& spec, std::string_view type) {
  for (const grpc::LinuxNamespace& entry : spec.linux().namespaces()) {
    if (entry.type() == type) return &entry;
  }
  return nullptr;
}

NetworkNamespace network_namespace(const grpc::Spec& spec) {
  const auto* entry = find_namespace(spec, "network");
  if (!entry) return {};
  return {.requested = true, .path = entry->path()};
}

bool joins_pid_namespace(const grpc::Spec& spec) {
  const auto* entry = find_namespace(spec, "pid");
  if (entry) return !entry->path().empty();
  auto type = container_type(spec);
  return type && *type == ContainerType::kPodContainer;
}

}  // namespace kata::oci
