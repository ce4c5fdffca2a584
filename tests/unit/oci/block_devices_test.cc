#include "oci/block_devices.h"

#include <gtest/gtest.h>

#include "oci/spec.h"

namespace kata::oci {
namespace {

grpc::Spec spec_of(const std::string& devices, const std::string& rules) {
  auto spec = parse_spec(R"({"ociVersion":"1.1.0","linux":{"devices":[)" + devices +
                         R"(],"resources":{"devices":[)" + rules + "]}}}");
  EXPECT_TRUE(spec) << (spec ? "" : spec.error().message());
  return spec ? *spec : grpc::Spec();
}

constexpr char kDenyAll[] = R"({"allow":false,"access":"rwm"})";
constexpr char kAllowAll[] = R"({"allow":true,"access":"rwm"})";
constexpr char kLoop[] = R"({"path":"/dev/xvda","type":"b","major":7,"minor":3})";

std::string rule(const char* access, const char* numbers = R"("major":7,"minor":3)") {
  return std::string(R"({"allow":true,"type":"b",)") + numbers + R"(,"access":")" + access + "\"}";
}

TEST(BlockDevices, OnlyDisksWithNumbersAndEachPathOnce) {
  auto found = block_devices(spec_of(std::string(kLoop) + "," + kLoop + R"(,
      {"path":"/dev/c","type":"c","major":1,"minor":3},
      {"path":"/dev/n","type":"b","major":-1,"minor":3},
      {"path":"/dev/big","type":"b","major":7,"minor":9999999999})",
                                     kDenyAll));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].index, 0);
  EXPECT_EQ(found[0].path, "/dev/xvda");
  EXPECT_EQ(found[0].major, 7u);
  EXPECT_EQ(found[0].minor, 3u);
}

TEST(BlockDevices, TheRuleSaysWhetherItMayBeWrittenTo) {
  const std::string deny = std::string(kDenyAll) + ",";
  EXPECT_FALSE(block_devices(spec_of(kLoop, deny + rule("rwm")))[0].read_only);
  EXPECT_TRUE(block_devices(spec_of(kLoop, deny + rule("rm")))[0].read_only);
  EXPECT_FALSE(block_devices(spec_of(kLoop, deny + rule("r") + "," + rule("w")))[0].read_only);
  EXPECT_TRUE(block_devices(spec_of(kLoop, deny + rule("r", R"("major":7)")))[0].read_only);
  // Nothing said: the container's own.
  EXPECT_FALSE(block_devices(spec_of(kLoop, ""))[0].read_only);
  EXPECT_FALSE(block_devices(spec_of(kLoop, kDenyAll))[0].read_only);
  // A rule about another device.
  EXPECT_FALSE(
      block_devices(spec_of(kLoop, deny + rule("r", R"("major":7,"minor":4)")))[0].read_only);
}

TEST(BlockDevices, ThoseOfAPrivilegedContainerAreNotAskedFor) {
  EXPECT_FALSE(block_devices(spec_of(kLoop, kAllowAll))[0].named);
  EXPECT_FALSE(
      block_devices(spec_of(kLoop, R"({"allow":true,"type":"b","access":"rwm"})"))[0].named);
  EXPECT_TRUE(block_devices(spec_of(kLoop, std::string(kAllowAll) + "," + rule("rwm")))[0].named);
  // mknod alone, as Docker allows it to everybody, is no permission to use every disk.
  EXPECT_TRUE(block_devices(spec_of(kLoop, R"({"allow":true,"type":"b","access":"m"})"))[0].named);
  EXPECT_TRUE(block_devices(spec_of(kLoop, kDenyAll))[0].named);
  EXPECT_TRUE(block_devices(spec_of(kLoop, ""))[0].named);
}

}  // namespace
}  // namespace kata::oci
