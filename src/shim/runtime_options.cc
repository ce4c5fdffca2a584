#include "shim/runtime_options.h"

#include "containerd/bootstrap.pb.h"
#include "containerd/runtimeoptions.pb.h"
#include "shim/task/any.h"

namespace kata::shim {

std::string config_path_of(const kata::wkt::Any& any) {
  runtimeoptions::v1::Options options;
  if (!type_is(any, "runtimeoptions.v1.Options") || !options.ParseFromString(any.value())) {
    return "";
  }
  return options.config_path();
}

std::string config_path_of_start(std::string_view input, std::string_view id) {
  const std::string bytes(input);
  // An Any parses as BootstrapParams too; only the latter carries our id in its first field.
  containerd::runtime::bootstrap::v1::BootstrapParams params;
  if (params.ParseFromString(bytes) && params.instance_id() == id) {
    for (const auto& extension : params.extensions()) {
      std::string path = config_path_of(extension.value());
      if (!path.empty()) return path;
    }
    return "";
  }
  kata::wkt::Any any;
  return any.ParseFromString(bytes) ? config_path_of(any) : "";
}

}  // namespace kata::shim
