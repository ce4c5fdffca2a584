#include "base/user_namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

namespace kata {
namespace {

TEST(UserNamespace, ListsOfMappings) {
  auto maps = parse_id_mappings("0:100000:65536,65536:5:1");
  ASSERT_TRUE(maps);
  ASSERT_EQ(maps->size(), 2U);
  EXPECT_EQ((*maps)[0], (IdMapping{0, 100000, 65536}));
  EXPECT_EQ((*maps)[1], (IdMapping{65536, 5, 1}));
  for (const char* wrong : {"", "0", "0:1", "0:1:", "0:1:2:", "0:1:2:3", "a:1:2", "0:-1:2", ",",
                            "0: 1:2", "4294967296:0:1", "0:1:2;rm -rf /"}) {
    EXPECT_FALSE(parse_id_mappings(wrong)) << wrong;
  }
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += "0:1:2,";
  EXPECT_FALSE(parse_id_mappings(endless));
}

// The id that root of the namespace is outside.
std::string map_of(int user) {
  int ends[2];
  if (pipe(ends) < 0) return "pipe";
  const pid_t child = fork();
  if (child == 0) {
    if (setns(user, CLONE_NEWUSER) < 0) _exit(1);
    auto text = read_file("/proc/self/uid_map");
    (void)!write(ends[1], text->data(), text->size());
    _exit(0);
  }
  close(ends[1]);
  auto text = read_fd(ends[0]);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text ? *text : text.error().message();
}

TEST(UserNamespace, IsKeptByItsDescriptors) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const IdMappings maps{{{0, 100000, 65536}}, {{0, 200000, 10}}};
  auto made = make_user_namespace(maps, {CLONE_NEWUTS, CLONE_NEWIPC});
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->size(), 3U);
  EXPECT_EQ(map_of((*made)[0].get()), "         0     100000      65536\n");
  struct stat ours {
  }, theirs{};
  ASSERT_EQ(stat("/proc/self/ns/uts", &ours), 0);
  ASSERT_EQ(fstat((*made)[1].get(), &theirs), 0);
  EXPECT_NE(ours.st_ino, theirs.st_ino);
  // NS_GET_USERNS of linux/nsfs.h: the UTS namespace belongs to the user namespace.
  UniqueFd owner(ioctl((*made)[1].get(), _IO(0xb7, 0x1)));
  struct stat user {
  }, owning{};
  ASSERT_EQ(fstat((*made)[0].get(), &user), 0);
  ASSERT_EQ(fstat(owner.get(), &owning), 0);
  EXPECT_EQ(user.st_ino, owning.st_ino);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "its maker must be gone";
}

TEST(UserNamespace, MapsThatOverlapAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto made = make_user_namespace({{{0, 1, 10}, {5, 100, 10}}, {}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("uid map"), std::string::npos) << made.error().message();
}

}  // namespace
}  // namespace kata
