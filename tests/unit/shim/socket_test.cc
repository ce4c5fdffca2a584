#include "shim/socket.h"

#include <sys/stat.h>

#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

TEST(Socket, IsPrivateAndLive) {
  TempDir dir;
  const std::string path = dir / "s/name";
  auto fd = bind_socket(path);
  ASSERT_TRUE(fd) << fd.error().message();
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_TRUE(socket_is_live(path));
}

TEST(Socket, OneThatListensIsReused) {
  TempDir dir;
  auto first = bind_socket(dir / "name");
  ASSERT_TRUE(first);
  auto second = bind_socket(dir / "name");
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
  EXPECT_TRUE(socket_is_live(dir / "name"));
}

TEST(Socket, AStaleFileIsReplaced) {
  TempDir dir;
  bind_socket(dir / "name")->reset();
  ASSERT_TRUE(path_exists(dir / "name"));
  EXPECT_FALSE(socket_is_live(dir / "name"));
  auto again = bind_socket(dir / "name");
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again);
}

TEST(Socket, APathThatIsTooLongIsRefused) {
  TempDir dir;
  EXPECT_FALSE(bind_socket(dir / std::string(120, 'x')));
  EXPECT_FALSE(socket_is_live(dir / std::string(120, 'x')));
}

}  // namespace
}  // namespace kata::shim
