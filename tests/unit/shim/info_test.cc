#include "shim/verbs/info.h"

#include <gtest/gtest.h>

#include "containerd/runtime_info.pb.h"

namespace kata::shim {
namespace {

TEST(Info, IsARuntimeInfo) {
  containerd::types::RuntimeInfo info;
  ASSERT_TRUE(info.ParseFromString(runtime_info()));
  EXPECT_EQ(info.name(), "io.containerd.kata.v2");
  EXPECT_FALSE(info.version().version().empty());
  EXPECT_EQ(info.features().type_url(),
            "types.containerd.io/opencontainers/runtime-spec/1/features/Features");
  EXPECT_EQ(info.features().value().front(), '{');
}

TEST(Info, VersionNamesTheProgramFirst) {
  EXPECT_TRUE(version_text().starts_with("containerd-shim-kata-v2:\n  Version:"));
  EXPECT_TRUE(version_text().ends_with("\n"));
}

}  // namespace
}  // namespace kata::shim
