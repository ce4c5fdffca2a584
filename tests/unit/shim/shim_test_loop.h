#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "base/task.h"

namespace kata::shim {

// Runs a coroutine to its end on the loop; what else is on the loop goes on meanwhile.
inline void run_on(asio::io_context& loop, Task<> task, Clock::duration limit = 20s) {
  bool done = false;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr failure) {
    EXPECT_FALSE(failure);
    done = true;
    loop.stop();
  });
  loop.restart();
  loop.run_for(limit);
  EXPECT_TRUE(done) << "the test ran out of time";
}

// A folder that goes with the test.
class TempDir {
 public:
  TempDir() {
    char pattern[] = "/tmp/shim-test-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TempDir() { EXPECT_TRUE(remove_tree(path_)); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kata::shim
