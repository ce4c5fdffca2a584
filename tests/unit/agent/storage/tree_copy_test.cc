#include "agent/storage/tree_copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_folder.h"

namespace kata::agent {
namespace {

class TreeCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    source_ = folder_ + "/source";
    target_ = folder_ + "/target";
    ASSERT_TRUE(make_dir(source_));
    ASSERT_TRUE(make_dir(target_));
  }
  std::string copied(const std::string& name) {
    return read_file(target_ + "/" + name).value_or("(absent)");
  }
  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
  std::string source_, target_;
};

TEST_F(TreeCopyTest, CopiesChangesAndRemovals) {
  TreeCopy copy(source_, target_);
  ASSERT_TRUE(write_file(source_ + "/a", "1", 0640));
  ASSERT_TRUE(make_dir(source_ + "/d"));
  ASSERT_TRUE(write_file(source_ + "/d/b", "2"));
  ASSERT_TRUE(copy.refresh());
  EXPECT_EQ(copied("a"), "1");
  EXPECT_EQ(copied("d/b"), "2");
  ASSERT_TRUE(write_file(source_ + "/a", "longer"));
  ASSERT_TRUE(remove_tree(source_ + "/d"));
  ASSERT_TRUE(copy.refresh());
  EXPECT_EQ(copied("a"), "longer");
  EXPECT_FALSE(path_exists(target_ + "/d"));
}

// A ConfigMap: visible names are links through `..data`, which is swapped.
TEST_F(TreeCopyTest, FollowsTheSwapOfAConfigMap) {
  TreeCopy copy(source_, target_);
  ASSERT_TRUE(make_dir(source_ + "/..1"));
  ASSERT_TRUE(write_file(source_ + "/..1/key", "old"));
  ASSERT_EQ(symlink("..1", (source_ + "/..data").c_str()), 0);
  ASSERT_EQ(symlink("..data/key", (source_ + "/key").c_str()), 0);
  ASSERT_TRUE(copy.refresh());
  EXPECT_EQ(copied("key"), "old");
  ASSERT_TRUE(make_dir(source_ + "/..2"));
  ASSERT_TRUE(write_file(source_ + "/..2/key", "new"));
  ASSERT_EQ(unlink((source_ + "/..data").c_str()), 0);
  ASSERT_EQ(symlink("..2", (source_ + "/..data").c_str()), 0);
  ASSERT_TRUE(remove_tree(source_ + "/..1"));
  ASSERT_TRUE(copy.refresh());
  EXPECT_EQ(copied("key"), "new");
  EXPECT_FALSE(path_exists(target_ + "/..1"));
}

TEST_F(TreeCopyTest, RefusesWhatIsTooLarge) {
  TreeCopy copy(source_, target_);
  ASSERT_TRUE(write_file(source_ + "/big", std::string(TreeCopy::kMaxBytes + 1, 'x')));
  auto refused = copy.refresh();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  ASSERT_TRUE(remove_file(source_ + "/big"));
  for (size_t i = 0; i <= TreeCopy::kMaxEntries; ++i) {
    ASSERT_TRUE(write_file(source_ + "/f" + std::to_string(i), "x"));
  }
  EXPECT_FALSE(copy.refresh());
}

}  // namespace
}  // namespace kata::agent
