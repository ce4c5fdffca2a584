// The image that container processes start from (CVE-2019-5736).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "agent/container/box.h"
#include "agent/container/self_image.h"
#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent::test {
namespace {

TEST(SelfImage, IsSealed) {
  auto image = sealed_self_image();
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(*sealed_self_image(), *image);
  int seals = fcntl(*image, F_GET_SEALS);
  EXPECT_EQ(seals & (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
            F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  EXPECT_LT(write(*image, "x", 1), 0);
  // The way of the attack: open the link again for writing.
  auto again = open_file(beneath::fd_path(*image), O_WRONLY);
  if (again) {
    EXPECT_LT(write(again->get(), "x", 1), 0);
    EXPECT_LT(ftruncate(again->get(), 0), 0);
  }
}

// Run in a process of its own by the test below.
TEST(SelfImage, DISABLED_Continue) {
  char name[] = "self";
  char filter[] = "--gtest_filter=SelfImage.DISABLED_Continue";
  char all[] = "--gtest_also_run_disabled_tests";
  char* argv[] = {name, filter, all, nullptr};
  Status moved = continue_from_sealed_image(argv);
  ASSERT_TRUE(moved) << moved.error().message();
  char link[PATH_MAX] = {};
  ASSERT_GT(readlink("/proc/self/exe", link, sizeof link - 1), 0);
  dprintf(STDOUT_FILENO, "runs from %s\n", link);
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c; (c = fgetc(pipe)) != EOF;) out.push_back(static_cast<char>(c));
  EXPECT_EQ(pclose(pipe), 0) << out;
  return out;
}

TEST(SelfImage, ProgramInMemoryGoesOnAsItsOnlyCopy) {
  const std::string copy = "/dev/shm/kata-self-image-" + std::to_string(getpid());
  output_of("cp /proc/" + std::to_string(getpid()) + "/exe " + copy);
  std::string out = output_of(copy +
                              " --gtest_filter=SelfImage.DISABLED_Continue "
                              "--gtest_also_run_disabled_tests");
  EXPECT_NE(out.find("runs from /memfd:kata-agent"), std::string::npos) << out;
  EXPECT_FALSE(path_exists(copy));
  (void)remove_file(copy);
}

TEST(SelfImage, ProgramOnDiskStaysThere) {
  std::string out = output_of("/proc/" + std::to_string(getpid()) +
                              "/exe --gtest_filter=SelfImage.DISABLED_Continue "
                              "--gtest_also_run_disabled_tests");
  EXPECT_EQ(out.find("runs from /memfd"), std::string::npos) << out;
}

TEST(SelfImage, ContainerSeesNoOtherFileOfTheAgent) {
  REQUIRE_ROOT();
  Box box;
  // A program that is a script whose interpreter is the running process's own file.
  ASSERT_TRUE(write_file(box.rootfs() + "/bin/trap", "#!/proc/self/exe\n", 0755));
  ASSERT_EQ(chmod((box.rootfs() + "/bin/trap").c_str(), 0755), 0);
  auto before = read_file("/proc/self/exe", size_t{1} << 30);
  Outcome outcome = box.run_args({"/bin/trap"});
  // Whatever it is that ran, it had no channel to the agent and ended.
  EXPECT_NE(outcome.code, 0);
  EXPECT_EQ(*read_file("/proc/self/exe", size_t{1} << 30), *before);
}

}  // namespace
}  // namespace kata::agent::test
