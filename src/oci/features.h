#pragma once

#include <string>

namespace kata::oci {

// OCI features document (runtime-spec features.md) as JSON: what `-info` hands to containerd 2.x
// and `kata-runtime features` prints.
std::string features_json();

inline constexpr char kFeaturesTypeUrl[] =
    "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

}  // namespace kata::oci
