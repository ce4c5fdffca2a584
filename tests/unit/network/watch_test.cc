#include "network/watch.h"

#include "bed.h"

namespace kata::network {
namespace {

class WatchTest : public NetworkBed {};

TEST_F(WatchTest, ChangesAreToldAndTheEndToo) {
  asio::io_context loop;
  auto watch = Watch::create(loop.get_executor(), here().fd.get());
  ASSERT_TRUE(watch) << watch.error().message();
  EXPECT_FALSE((*watch)->pending());
  shell("ip link add br1 type bridge");
  EXPECT_TRUE((*watch)->pending());
  int told = 0;
  bool ended = false;
  spawn(loop.get_executor(), [](Watch& changes, int* count, bool* end) -> Task<> {
    while (co_await changes.changed()) ++*count;
    *end = true;
  }(**watch, &told, &ended));
  loop.run_for(100ms);
  EXPECT_EQ(told, 1);  // however many messages there were
  // Told of is not looked at: whoever starts a container now must not miss it.
  EXPECT_TRUE((*watch)->pending());
  (*watch)->begin_look();
  EXPECT_FALSE((*watch)->pending());
  shell("ip addr add 192.0.2.1/24 dev br1");
  loop.run_for(100ms);
  EXPECT_EQ(told, 2);
  // Elsewhere is not here.
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  shell("ip link add br1 type bridge");
  loop.run_for(50ms);
  EXPECT_EQ(told, 2);
  (*watch)->close();
  loop.run_for(100ms);
  EXPECT_TRUE(ended);
  EXPECT_FALSE((*watch)->pending());
}

}  // namespace
}  // namespace kata::network
