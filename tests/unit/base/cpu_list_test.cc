#include "base/cpu_list.h"

#include <gtest/gtest.h>

namespace kata {
namespace {

TEST(CpuListTest, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(*parse_cpu_list("0-3,8\n"), (CpuSet{0, 1, 2, 3, 8}));
  EXPECT_EQ(*parse_cpu_list("5"), CpuSet{5});
  EXPECT_TRUE(parse_cpu_list("")->empty());
  EXPECT_TRUE(parse_cpu_list("\n")->empty());
}

TEST(CpuListTest, RefusesEverythingElse) {
  for (const char* text :
       {"a", "1-", "-1", "3-1", "1,", ",1", "1 2", "0-70000", "4294967296", "1--2"}) {
    EXPECT_FALSE(parse_cpu_list(text)) << text;
  }
}

TEST(CpuListTest, WritesTheShortestForm) {
  EXPECT_EQ(cpu_list({}), "");
  EXPECT_EQ(cpu_list({0, 1, 2, 4, 6, 7}), "0-2,4,6-7");
}

}  // namespace
}  // namespace kata
