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
  EXPECT_TRUE(version_text().starts_with(
      "Kata Containers containerd shim (C++): id: \"io.containerd.kata.v2\", version: 4."));
  EXPECT_NE(version_text().find(", commit: "), std::string::npos);
  EXPECT_EQ(version_text().find('\n'), version_text().size() - 1);
}

}  // namespace
}  // namespace kata::shim
