// Random addresses of children are given up under emulation only, and never in the container.
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/container/emulation.h"

namespace kata::agent::test {
namespace {

constexpr unsigned long kOnlyAsk = 0xffffffff;

// In a child, as the personality belongs to the process.
template <class Action>
bool fixed_addresses_after(int before, Action action) {
  pid_t child = fork();
  if (child == 0) {
    personality(static_cast<unsigned long>(before));
    action();
    _exit((personality(kOnlyAsk) & ADDR_NO_RANDOMIZE) != 0 ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 1;
}

TEST(Emulation, OnlyAnEmulatedChildHasKnownAddresses) {
  EXPECT_EQ(fixed_addresses_after(PER_LINUX, prefer_known_addresses), runs_emulated());
}

TEST(Emulation, ProgramsOfContainersHaveRandomAddresses) {
  EXPECT_TRUE(fixed_addresses_after(ADDR_NO_RANDOMIZE, [] {}));
  EXPECT_FALSE(fixed_addresses_after(ADDR_NO_RANDOMIZE, want_random_addresses));
}

}  // namespace
}  // namespace kata::agent::test
