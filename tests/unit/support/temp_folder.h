#pragma once

#include <stdlib.h>

#include <string>

#include "base/file.h"
#include "gtest/gtest.h"

namespace kata::test {

// A new folder below /tmp; it goes with this object, and so does all that is in it.
class TempFolder {
 public:
  TempFolder() {
    if (!mkdtemp(path_.data())) std::abort();
  }
  ~TempFolder() { EXPECT_TRUE(remove_tree(path_)); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/kata-test-XXXXXX";
};

}  // namespace kata::test
