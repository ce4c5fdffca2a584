#include "shim/verbs/info.h"

#include "containerd/runtime_info.pb.h"
#include "oci/features.h"
#include "version.h"

namespace kata::shim {

std::string version_text() {
  return std::string("Kata Containers containerd shim (C++): id: \"") + kRuntimeName +
         "\", version: " + kCompatVersion + ", commit: " KATA_COMMIT "\n";
}

std::string runtime_info() {
  containerd::types::RuntimeInfo info;
  info.set_name(kRuntimeName);
  info.mutable_version()->set_version(kVersion);
  info.mutable_features()->set_type_url(oci::kFeaturesTypeUrl);
  info.mutable_features()->set_value(oci::features_json());
  return info.SerializeAsString();
}

}  // namespace kata::shim
