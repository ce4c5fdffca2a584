#include "shim/address.h"

#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

// The digests were made with sha256sum(1) of "<address>/<namespace>/<id>", the form observed with
// containerd 1.6 (facts/shim-v2.md section 4).
TEST(Address, IsTheHashContainerdComputes) {
  EXPECT_EQ(socket_address("/run/containerd/containerd.sock", "default", "tcon1"),
            "unix:///run/containerd/s/"
            "6fbe18be153990e7ec2fa51ab589d2fe42729a8f352f5d6abf0f402fb9021e89");
}

TEST(Address, LeavesAnEmptyAddressOut) {
  EXPECT_EQ(socket_address("", "default", "tcon1"),
            "unix:///run/containerd/s/"
            "bf722267fc148f774d913550a7264fabb4f5b944f0ea7093c1afb39380ef1918");
}

TEST(Address, JoinIsCleanedByNameAlone) {
  EXPECT_EQ(clean_join({"/run//containerd/./x/../c.sock", "ns", "id"}),
            "/run/containerd/c.sock/ns/id");
  EXPECT_EQ(clean_join({"", "ns", "id"}), "ns/id");
  EXPECT_EQ(clean_join({"/..", "a"}), "/a");
  EXPECT_EQ(clean_join({"../a", "b/.."}), "../a");
  EXPECT_EQ(clean_join({"a", ".."}), ".");
  EXPECT_EQ(clean_join({}), "");
}

TEST(Address, GivesThePathOfASocket) {
  EXPECT_EQ(*socket_path("unix:///run/x"), "/run/x");
  EXPECT_EQ(*socket_path("/run/x"), "/run/x");
  EXPECT_FALSE(socket_path("vsock://3:1"));
  EXPECT_FALSE(socket_path(""));
}

TEST(Address, FileHoldsTheExactText) {
  TempDir bundle;
  ASSERT_TRUE(write_address_file(bundle.path(), "unix:///run/x"));
  EXPECT_EQ(*read_file(bundle / "address"), "unix:///run/x");
  EXPECT_EQ(*read_address_file(bundle.path()), "unix:///run/x");
  EXPECT_EQ(list_dir(bundle.path())->size(), 1u) << "no temporary file stays";
}

}  // namespace
}  // namespace kata::shim
