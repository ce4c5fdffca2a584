#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

// Tests that mount things run in a child with mounts of its own.
namespace kata::test {

inline std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Names in a folder, sorted.
inline std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Mount table of this process.
inline std::string mount_table() {
  return slurp("/proc/self/mountinfo");
}

// What other programs have mounted for themselves would vanish from our copy of the table too, in
// the middle of a test, when they remove the folder.
inline void drop_foreign_mounts() {
  std::istringstream table(mount_table());
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string skipped, where;
    fields >> skipped >> skipped >> skipped >> skipped >> where;
    for (const char* folder : {"/tmp/", "/run/", "/var/"}) {
      if (where.starts_with(folder)) umount2(where.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    }
  }
}

// A new folder; the mounts on it are the test's business.
inline std::string temp_dir() {
  std::string path = "/tmp/kata-test-XXXXXX";
  if (!mkdtemp(path.data())) std::abort();
  return path;
}

// Runs `body` in a forked child whose mounts are its own and whose / is private; failed
// expectations of the child fail the caller. Skips when not root.
inline void in_private_mounts(const std::function<void()>& body) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
      perror("private mounts");
      _exit(2);
    }
    drop_foreign_mounts();
    body();
    fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child status " << status;
}

}  // namespace kata::test
