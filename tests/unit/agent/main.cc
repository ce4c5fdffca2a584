// The launcher executes this program again as its own child; so main() serves both roles, as the
// agent's does.
#include <gtest/gtest.h>

#include "agent/container/launcher.h"

int main(int argc, char** argv) {
  if (kata::agent::is_container_init(argc, argv))
    return kata::agent::container_init_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
