#pragma once

#include <string>

namespace kata::oci {

// OCI features document (runtime-spec features.md) as JSON: what `-info` hands to containerd 2.x,
// and `features` to CRI-O. That one concludes from id-mapped mounts that pods can have user
// namespaces, which with its root folders they cannot.
std::string features_json(bool id_mapped_mounts = true);

inline constexpr char kFeaturesTypeUrl[] =
    "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

}  // namespace kata::oci
