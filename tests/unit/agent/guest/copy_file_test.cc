#include "agent/guest/copy_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_folder.h"

namespace kata::agent {
namespace {

class CopyFile : public testing::Test {
 protected:
  void SetUp() override { shared_ = folder_ + "/shared"; }
  Status copy(const std::string& path, mode_t mode, const std::string& data, int64_t offset,
              int64_t size) {
    grpc::CopyFileRequest request;
    request.set_path(path);
    request.set_file_mode(mode);
    request.set_data(data);
    request.set_offset(offset);
    request.set_file_size(size);
    request.set_uid(static_cast<int32_t>(geteuid()));
    request.set_gid(static_cast<int32_t>(getegid()));
    return copy_file(shared_, request);
  }
  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
  std::string shared_;
};

TEST_F(CopyFile, GrowsByChunksAndAppearsWhenWhole) {
  std::string path = shared_ + "/c1/file.txt";
  ASSERT_TRUE(copy(path, S_IFREG | 0640, "abc", 0, 6));
  EXPECT_FALSE(path_exists(path));
  ASSERT_TRUE(copy(path, S_IFREG | 0640, "def", 3, 6));
  EXPECT_EQ(read_file(path).value_or(""), "abcdef");
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(list_dir(shared_ + "/c1").value().size(), 1u);
}

TEST_F(CopyFile, FoldersAndSymlinks) {
  ASSERT_TRUE(copy(shared_ + "/d/e", S_IFDIR | 0700, "", 0, 0));
  ASSERT_TRUE(copy(shared_ + "/d/link", S_IFLNK | 0777, "e", 0, 0));
  ASSERT_TRUE(copy(shared_ + "/d/link", S_IFLNK | 0777, "f", 0, 0));  // replaced
  char target[16];
  ASSERT_EQ(readlink((shared_ + "/d/link").c_str(), target, sizeof target), 1);
  EXPECT_EQ(target[0], 'f');
}

TEST_F(CopyFile, RefusesPathsOutside) {
  for (const std::string& path :
       {std::string("/etc/passwd"), shared_, shared_ + "/", shared_ + "/../x",
        shared_ + "/a/../../x", shared_ + "/..", shared_ + "-other/x", std::string()}) {
    EXPECT_FALSE(copy(path, S_IFREG | 0644, "x", 0, 1)) << path;
  }
  EXPECT_FALSE(copy(shared_ + "/dev", S_IFCHR | 0644, "x", 0, 1));
}

// CVE-2026-41326: a link that is already there must not lead the write out of the tree.
TEST_F(CopyFile, NeverFollowsASymlink) {
  std::string outside = folder_ + "/outside";
  ASSERT_TRUE(make_dir(outside));
  ASSERT_TRUE(make_dirs(shared_));
  ASSERT_EQ(symlink(outside.c_str(), (shared_ + "/link").c_str()), 0);
  EXPECT_FALSE(copy(shared_ + "/link/file", S_IFREG | 0644, "x", 0, 1));
  EXPECT_TRUE(list_dir(outside).value().empty());
  ASSERT_EQ(symlink((outside + "/new").c_str(), (shared_ + "/file").c_str()), 0);
  ASSERT_TRUE(copy(shared_ + "/file", S_IFREG | 0644, "x", 0, 1));  // the link itself is replaced
  EXPECT_TRUE(list_dir(outside).value().empty());
}

// A container that sees the share can put anything in the place of a file that is to come.
TEST_F(CopyFile, WhatStandsInTheWayIsReplacedAndNeverOpened) {
  std::string path = shared_ + "/file", part = shared_ + "/.file.part";
  ASSERT_TRUE(make_dirs(shared_));
  for (int64_t offset : {0, 1}) {
    for (const std::string& there : {part, path}) {
      ASSERT_EQ(mkfifo(there.c_str(), 0666), 0);
      ASSERT_TRUE(copy(path, S_IFREG | 0644, "x", offset, offset + 1)) << there;
      struct stat info {};
      ASSERT_EQ(lstat(path.c_str(), &info), 0);
      EXPECT_TRUE(S_ISREG(info.st_mode)) << there;
      ASSERT_TRUE(remove_file(path));
    }
  }
  // Nobody's other file is written through a second link.
  std::string victim = folder_ + "/victim";
  ASSERT_TRUE(write_file(victim, "keep"));
  for (int64_t offset : {0, 1}) {
    ASSERT_EQ(link(victim.c_str(), part.c_str()), 0);
    ASSERT_TRUE(copy(path, S_IFREG | 0644, "x", offset, offset + 1));
    EXPECT_EQ(read_file(victim).value_or(""), "keep");
    ASSERT_TRUE(remove_file(path));
  }
}

TEST_F(CopyFile, ADeviceNodeIsReplaced) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::string path = shared_ + "/file", part = shared_ + "/.file.part";
  ASSERT_TRUE(make_dirs(shared_));
  for (const std::string& there : {part, path}) {
    ASSERT_EQ(mknod(there.c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_TRUE(copy(path, S_IFREG | 0644, "x", 0, 1));
    EXPECT_EQ(read_file(path).value_or(""), "x");
    ASSERT_TRUE(remove_file(path));
  }
}

TEST_F(CopyFile, AFolderIsNotMadeOfAFifoNorAFileOfAFolder) {
  ASSERT_TRUE(make_dirs(shared_ + "/folder"));
  ASSERT_EQ(mkfifo((shared_ + "/fifo").c_str(), 0666), 0);
  EXPECT_FALSE(copy(shared_ + "/fifo", S_IFDIR | 0755, "", 0, 0));
  EXPECT_FALSE(copy(shared_ + "/fifo/file", S_IFREG | 0644, "x", 0, 1));
  EXPECT_FALSE(copy(shared_ + "/folder", S_IFREG | 0644, "x", 0, 1));
}

}  // namespace
}  // namespace kata::agent
