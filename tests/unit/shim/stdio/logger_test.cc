#include "shim/stdio/logger.h"

#include <sys/stat.h>

#include "shim/shim_test_loop.h"
#include "shim/stdio/opener.h"

namespace kata::shim {
namespace {

class LoggerTest : public ::testing::Test {
 protected:
  // A logger of /bin/sh; $1 and $2 are the first query key and its value.
  std::string script(const std::string& body) {
    const std::string path = dir_ / "logger";
    EXPECT_TRUE(write_file(path, "#!/bin/sh\n" + body + "\n", 0755));
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return path;
  }
  Status open(const std::string& scheme, const std::string& path) {
    Status status;
    StdioPaths paths;
    paths.out = scheme + "://" + path + "?to=" + (dir_ / "out");
    paths.err = paths.out;
    run_on(loop_, open_into(&opener_, paths, &io_, &status));
    return status;
  }
  static Task<> open_into(StdioOpener* opener, StdioPaths paths, runtime::ProcessIo* io,
                          Status* status) {
    auto opened = co_await opener->open(paths, "c1");
    if (opened) {
      *io = std::move(*opened);
    } else {
      *status = std::unexpected(opened.error());
    }
  }
  static Task<> write_and_end(LoggerTest* self) {
    EXPECT_TRUE(co_await self->io_.out->write("to stdout\n"));
    EXPECT_TRUE(co_await self->io_.err->write("to stderr\n"));
    self->io_.out->close();
    self->io_.err->close();
    EXPECT_TRUE(co_await self->opener_.loggers().wait_idle(10s));
  }

  TempDir dir_;
  asio::io_context loop_{1};
  StdioOpener opener_{loop_.get_executor(), "ns"};
  runtime::ProcessIo io_;
};

TEST_F(LoggerTest, GetsBothStreamsArgumentsAndEnvironment) {
  auto opened = open(
      "binary", script("exec 5>&-\n"
                       "{ echo $1 $CONTAINER_ID $CONTAINER_NAMESPACE; cat <&3; cat <&4; } >$2"));
  ASSERT_TRUE(opened) << opened.error().message();
  run_on(loop_, write_and_end(this));
  EXPECT_EQ(*read_file(dir_ / "out"), "to c1 ns\nto stdout\nto stderr\n");
}

TEST_F(LoggerTest, V2MustSayThatItIsReady) {
  EXPECT_TRUE(open("binary-v2", script("printf r >&5; cat <&3 >$2")));
  io_ = {};
  auto silent = open("binary-v2", script("exec 5>&-; cat <&3"));
  ASSERT_FALSE(silent);
  EXPECT_NE(silent.error().message().find("ready"), std::string::npos);
}

TEST_F(LoggerTest, AMissingProgramIsReported) {
  auto opened = open("binary", dir_ / "absent");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kNotFound);
  EXPECT_EQ(opener_.loggers().running(), 0);
}

TEST_F(LoggerTest, OneThatIgnoresItsEndIsSignalled) {
  ASSERT_TRUE(open("binary", script("exec 5>&-; trap 'echo term >$2; exit' TERM\n"
                                    "while :; do sleep 0.1; done")));
  io_ = {};
  run_on(loop_, [](LoggerCount* loggers) -> Task<> {
    EXPECT_TRUE(co_await loggers->wait_idle(10s));
  }(&opener_.loggers()));
  EXPECT_EQ(*read_file(dir_ / "out"), "term\n");
}

}  // namespace
}  // namespace kata::shim
