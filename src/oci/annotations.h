#pragma once

#include <string>
#include <string_view>

#include "agent/oci.pb.h"
#include "base/error.h"

// What container managers tell a runtime through annotations (facts/runtime-behaviour.md section 2,
// facts/configuration.md section 8.3): containerd's CRI, CRI-O, dockershim.
namespace kata::oci {

enum class ContainerType {
  kSingleContainer,  // ctr, nerdctl, Docker: a sandbox of its own
  kPodSandbox,
  kPodContainer,
};

inline constexpr std::string_view kContainerTypeAnnotation =
    "io.katacontainers.pkg.oci.container_type";
inline constexpr std::string_view kBundlePathAnnotation = "io.katacontainers.pkg.oci.bundle_path";

// "single_container", "pod_sandbox" or "pod_container": the word the agent gets.
std::string_view container_type_name(ContainerType type);

// kInvalidArgument when a known key holds an unknown word.
Result<ContainerType> container_type(const grpc::Spec& spec);
// Sandbox that a pod_container belongs to; `own_id` for the two other types. The id is checked: it
// becomes part of host paths.
Result<std::string> sandbox_id(const grpc::Spec& spec, std::string_view own_id);

// For a container manager that lays the annotations of a pod's author over its own without looking
// (CRI-O; containerd passes what its handler lists): drops containerd's words and all of ours but
// those that enable_annotations decides upon.
void drop_unfiltered(grpc::Spec* spec);

// Marks the spec of a container as one of a sandbox's, in containerd's words.
void make_pod_container(grpc::Spec* spec, const std::string& sandbox_id);

// A letter or digit, then letters, digits, '.', '_', '-'; 1 to 128 bytes.
Status check_id(std::string_view id);

// Value of an annotation, empty when absent.
std::string_view annotation(const grpc::Spec& spec, std::string_view key);

}  // namespace kata::oci
