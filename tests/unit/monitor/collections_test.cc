#include "monitor/collections.h"

#include <gtest/gtest.h>

namespace kata::monitor {
namespace {

using Taken = std::shared_ptr<const Collection>;

class CollectionsTest : public testing::Test {
 protected:
  // All that are asked for at once.
  std::vector<Taken> get(Collections& collections, size_t count = 1) {
    std::vector<Taken> all(count);
    auto one = [](Collections& from, Taken* out) -> Task<> { *out = co_await from.get(); };
    for (Taken& each : all) spawn(loop_.get_executor(), one(collections, &each));
    loop_.restart();
    loop_.run();
    return all;
  }

  asio::io_context loop_{1};
  Scraper scraper_{Roots{.folders = {"/nonexistent"}}};
};

TEST_F(CollectionsTest, WhoAsksAtTheSameTimeSharesOne) {
  Collections collections(scraper_, 1h);
  const auto together = get(collections, 3);
  EXPECT_EQ(together[0], together[2]);
  EXPECT_EQ(get(collections)[0], together[0]);
}

TEST_F(CollectionsTest, AnOldOneIsNotHandedOut) {
  Collections collections(scraper_, 0s);
  const auto first = get(collections)[0];
  EXPECT_NE(get(collections)[0], first);
}

TEST_F(CollectionsTest, SlowTakersCostMemoryForAFewOnly) {
  Collections collections(scraper_, 0s);
  std::vector<Taken> taken;
  for (size_t i = 0; i < Collections::kMost; ++i) taken.push_back(get(collections)[0]);
  EXPECT_FALSE(taken[0]->cut);
  EXPECT_EQ(get(collections)[0], taken.back());
  EXPECT_TRUE(taken[0]->cut);
  EXPECT_FALSE(taken[1]->cut);
  taken.erase(taken.begin());  // let go
  const auto next = get(collections)[0];
  EXPECT_EQ(std::ranges::find(taken, next), taken.end());
}

}  // namespace
}  // namespace kata::monitor
