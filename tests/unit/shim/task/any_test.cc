#include "shim/task/any.h"

#include <gtest/gtest.h>

namespace kata::shim {
namespace {

bool matches(const char* url, const char* name) {
  kata::wkt::Any any;
  any.set_type_url(url);
  return type_is(any, name);
}

TEST(AnyType, ComparesTheLastWords) {
  EXPECT_TRUE(matches("runtimeoptions.v1.Options", "runtimeoptions.v1.Options"));
  EXPECT_TRUE(matches("cri.runtimeoptions.v1.Options", "runtimeoptions.v1.Options"));
  EXPECT_TRUE(
      matches("type.googleapis.com/runtimeoptions.v1.Options", "runtimeoptions.v1.Options"));
  EXPECT_TRUE(matches("types.containerd.io/opencontainers/runtime-spec/1/Process", "Process"));
  EXPECT_FALSE(matches("containerd.runc.v1.Options", "runtimeoptions.v1.Options"));
  EXPECT_FALSE(
      matches("types.containerd.io/opencontainers/runtime-spec/1/WindowsProcess", "Process"));
  EXPECT_FALSE(matches("", "Process"));
}

}  // namespace
}  // namespace kata::shim
