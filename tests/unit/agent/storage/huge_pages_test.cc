#include "agent/storage/huge_pages.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace kata::agent {
namespace {

class HugePagesTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kata-huge.XXXXXX";
    root_ = mkdtemp(name);
    ASSERT_TRUE(make_dir(root_ + "/hugepages-2048kB"));
    ASSERT_TRUE(write_file(file(), "3\n"));
  }
  void TearDown() override { (void)remove_tree(root_); }
  std::string file() const { return root_ + "/hugepages-2048kB/nr_hugepages"; }
  std::string root_;
};

TEST_F(HugePagesTest, AddsToWhatOthersHave) {
  ASSERT_TRUE(reserve_huge_pages(2 << 20, 8 << 20, root_));
  EXPECT_EQ(*read_file(file()), "7\n") << "3 and 4; a plain file keeps the old line end";
  // Half a page is one more.
  ASSERT_TRUE(reserve_huge_pages(2 << 20, 3 << 20, root_));
  EXPECT_EQ(*read_file(file()), "9\n");
}

TEST_F(HugePagesTest, UnknownSizeOfPages) {
  auto refused = reserve_huge_pages(1 << 30, 1 << 30, root_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("1048576 KiB"), std::string::npos);
}

TEST_F(HugePagesTest, SizesThatNoGuestHas) {
  EXPECT_EQ(reserve_huge_pages(2 << 20, UINT64_MAX, root_).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(*read_file(file()), "3\n");
}

TEST_F(HugePagesTest, MoreThanTheMemoryThatIsFree) {
  auto refused = reserve_huge_pages(2 << 20, uint64_t{2 << 20} * 4000000, root_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("of 4000000 pages of 2048 KiB"), std::string::npos);
  EXPECT_EQ(*read_file(file()), "3\n") << "not even tried";
}

}  // namespace
}  // namespace kata::agent
