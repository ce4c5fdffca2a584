#include "shim/runtime_options.h"

#include <gtest/gtest.h>

#include "containerd/bootstrap.pb.h"
#include "containerd/runtimeoptions.pb.h"

namespace kata::shim {
namespace {

kata::wkt::Any options(const std::string& path, const char* type = "runtimeoptions.v1.Options") {
  runtimeoptions::v1::Options inner;
  inner.set_config_path(path);
  kata::wkt::Any any;
  any.set_type_url(type);
  any.set_value(inner.SerializeAsString());
  return any;
}

TEST(RuntimeOptions, OfStartAsAnAny) {
  EXPECT_EQ(config_path_of_start(options("/c.toml").SerializeAsString(), "pod1"), "/c.toml");
  const auto old = options("/c.toml", "cri.runtimeoptions.v1.Options");
  EXPECT_EQ(config_path_of_start(old.SerializeAsString(), "pod1"), "/c.toml");
}

TEST(RuntimeOptions, OfStartAmongBootstrapParams) {
  containerd::runtime::bootstrap::v1::BootstrapParams params;
  params.set_instance_id("pod1");
  params.set_namespace_("k8s.io");
  EXPECT_EQ(config_path_of_start(params.SerializeAsString(), "pod1"), "");
  *params.add_extensions()->mutable_value() = options("/x", "some.other.Message");
  *params.add_extensions()->mutable_value() =
      options("/c.toml", "type.googleapis.com/runtimeoptions.v1.Options");
  EXPECT_EQ(config_path_of_start(params.SerializeAsString(), "pod1"), "/c.toml");
}

TEST(RuntimeOptions, NothingOfUseIsNoPath) {
  EXPECT_EQ(config_path_of_start("", "pod1"), "");
  EXPECT_EQ(config_path_of_start("\x0a\xff", "pod1"), "");
  EXPECT_EQ(config_path_of_start("config.toml\n", "pod1"), "");
  const auto runc = options("/c.toml", "containerd.runc.v1.Options");
  EXPECT_EQ(config_path_of_start(runc.SerializeAsString(), "pod1"), "");
}

}  // namespace
}  // namespace kata::shim
