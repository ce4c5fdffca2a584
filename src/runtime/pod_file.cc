#include "runtime/pod_file.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "oci/annotations.h"

namespace kata::runtime {

namespace {

constexpr size_t kMaxFile = 16 << 10;

std::string first_of(const grpc::Spec& spec, const char* containerd, const char* crio) {
  const auto value = oci::annotation(spec, containerd);
  return std::string(value.empty() ? oci::annotation(spec, crio) : value);
}

std::string text_of(const nlohmann::json& json, const char* key) {
  auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

PodIdentity pod_identity(const grpc::Spec& spec) {
  PodIdentity pod;
  pod.uid = first_of(spec, "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid");
  pod.name = first_of(spec, "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName");
  pod.name_space =
      first_of(spec, "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace");
  return pod;
}

Status write_pod_file(const grpc::Spec& spec, const std::string& path) {
  const PodIdentity pod = pod_identity(spec);
  if (pod.uid.empty() && pod.name.empty()) return {};
  const nlohmann::json json = {{"uid", pod.uid}, {"name", pod.name}, {"namespace", pod.name_space}};
  return write_file_atomic(
      path, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", 0600);
}

PodIdentity read_pod_file(const std::string& path) {
  auto text = read_file(path, kMaxFile);
  if (!text) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return {};
  return {text_of(json, "uid"), text_of(json, "name"), text_of(json, "namespace")};
}

}  // namespace kata::runtime
