#include "journal/path_rules.h"

#include "gtest/gtest.h"

namespace kata::journal {
namespace {

TEST(PathRules, PlacesOfASandboxAreTaken) {
  for (const char* path :
       {"/run/vc/vm/a/x.sock", "/run/netns/cni-1", "/run/vc/sbs/a",
        "/run/kata-containers/shared/sandboxes/a/mounts",
        "/var/tmp/st/io.containerd.runtime.v2.task/ns/id/rootfs", "/sys/fs/cgroup/kata_x"}) {
    EXPECT_TRUE(check_path(path, {}, false)) << path;
  }
}

TEST(PathRules, OtherPlacesAreRefused) {
  for (const char* path :
       {"/", "", "/etc", "relative", "/run", "/run/vc/", "/run/vc/../../etc", "/run/vc/./x",
        "/run/vc//x", "/run/vc/x/", "/runx/vc/x", "/run/vcx/y", "/home/x", "/run/netns"}) {
    EXPECT_FALSE(check_path(path, {}, false)) << path;
  }
  EXPECT_FALSE(check_path(std::string("/run/vc/a\0b", 11), {}, false));
}

TEST(PathRules, TreesNeedAPlaceOfTheirOwn) {
  EXPECT_TRUE(check_path("/run/vc/sbs/a", {}, true));
  EXPECT_FALSE(check_path("/run/vc/sbs", {}, true));
  EXPECT_FALSE(check_path("/run/kata-containers/shared/sandboxes", {}, true));
  EXPECT_FALSE(check_path("/run/kata-containers/shared", {}, true));
  EXPECT_FALSE(check_path("/run/containerd/io.containerd.runtime.v2.task/ns/id", {}, true));
  EXPECT_TRUE(check_path("/bundle/x", {"/bundle"}, true));
  EXPECT_FALSE(check_path("/bundle", {"/bundle"}, true));
  EXPECT_FALSE(check_path("/bundle2/x", {"/bundle"}, true));
}

TEST(PathRules, OldNameOfRunIsTheSame) {
  EXPECT_EQ(*check_path("/var/run/netns/x", {}, false), "/run/netns/x");
}

}  // namespace
}  // namespace kata::journal
