#include "agent/device/rewrite.h"

#include <gtest/gtest.h>

namespace kata::agent {
namespace {

grpc::Spec spec_with(const std::vector<DeviceUpdate>& devices) {
  grpc::Spec spec;
  for (const auto& device : devices) {
    auto* entry = spec.mutable_linux()->add_devices();
    entry->set_path(device.container_path);
    entry->set_type(device.type);
    entry->set_major(device.major);
    entry->set_minor(device.minor);
    auto* rule = spec.mutable_linux()->mutable_resources()->add_devices();
    rule->set_type(device.type);
    rule->set_major(device.major);
    rule->set_minor(device.minor);
  }
  return spec;
}

TEST(RewriteDevices, SwappedNumbersDoNotCollide) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 8, 0}, {"/dev/b", "b", 8, 16}});
  ASSERT_TRUE(rewrite_devices({{"/dev/a", "b", 8, 16}, {"/dev/b", "b", 8, 0}}, &spec));
  EXPECT_EQ(spec.linux().devices(0).minor(), 16);
  EXPECT_EQ(spec.linux().devices(1).minor(), 0);
  const auto& rules = spec.linux().resources().devices();
  ASSERT_EQ(rules.size(), 2);
  EXPECT_EQ(rules[0].minor(), 16);
  EXPECT_EQ(rules[1].minor(), 0);
}

TEST(RewriteDevices, ADeviceWithoutARuleMayBeUsed) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 8, 0}});
  spec.mutable_linux()->clear_resources();
  ASSERT_TRUE(rewrite_devices({{"/dev/a", "b", 253, 16}}, &spec));
  const auto& rules = spec.linux().resources().devices();
  ASSERT_EQ(rules.size(), 1);
  EXPECT_TRUE(rules[0].allow());
  EXPECT_EQ(rules[0].major(), 253);
  EXPECT_EQ(rules[0].access(), "rwm");
}

TEST(RewriteDevices, TheAccessThatARuleGivesIsKept) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 7, 3}});
  auto* rule = spec.mutable_linux()->mutable_resources()->mutable_devices(0);
  rule->set_allow(true);
  rule->set_access("r");
  ASSERT_TRUE(rewrite_devices({{"/dev/a", "b", 253, 0}}, &spec));
  const auto& rules = spec.linux().resources().devices();
  ASSERT_EQ(rules.size(), 1);
  EXPECT_EQ(rules[0].major(), 253);
  EXPECT_EQ(rules[0].access(), "r");
}

TEST(RewriteDevices, OneDiskUnderTwoNames) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 7, 3}, {"/dev/b", "b", 7, 3}});
  ASSERT_TRUE(rewrite_devices({{"/dev/a", "b", 253, 0}, {"/dev/b", "b", 253, 0}}, &spec));
  EXPECT_EQ(spec.linux().devices(0).major(), 253);
  EXPECT_EQ(spec.linux().devices(1).major(), 253);
}

TEST(RewriteDevices, UnknownPathIsAnError) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 8, 0}});
  EXPECT_FALSE(rewrite_devices({{"/dev/other", "b", 8, 16}}, &spec));
}

TEST(RewriteDevices, SameHostNumbersTwiceIsAnError) {
  grpc::Spec spec = spec_with({{"/dev/a", "b", 8, 0}, {"/dev/b", "b", 8, 0}});
  EXPECT_FALSE(rewrite_devices({{"/dev/a", "b", 8, 16}, {"/dev/b", "b", 8, 32}}, &spec));
}

TEST(ParseUevent, ReadsTheKernelsFields) {
  using namespace std::string_view_literals;
  auto event =
      parse_uevent("add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=block\0SEQNUM=7\0"sv);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "add");
  EXPECT_EQ(event->devpath, "/devices/x");
  EXPECT_EQ(event->subsystem, "block");
  EXPECT_FALSE(parse_uevent("libudev\0garbage"sv));
  EXPECT_FALSE(parse_uevent(""sv));
}

}  // namespace
}  // namespace kata::agent
