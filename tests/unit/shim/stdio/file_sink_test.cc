#include "shim/stdio/file_sink.h"

#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

Task<> write_twice(runtime::OutputSink* sink, Status* result) {
  *result = co_await sink->write("one ");
  if (*result) *result = co_await sink->write("two");
}

TEST(FileSink, AppendsAndMakesFolders) {
  TempDir dir;
  asio::io_context loop(1);
  for (int round = 0; round < 2; ++round) {
    auto sink = FileSink::open(dir / "a/b/log", true);
    ASSERT_TRUE(sink) << sink.error().message();
    Status result;
    run_on(loop, write_twice(sink->get(), &result));
    EXPECT_TRUE(result) << result.error().message();
    (*sink)->close();
  }
  EXPECT_EQ(*read_file(dir / "a/b/log"), "one twoone two");
}

TEST(FileSink, APlainPathMustExist) {
  TempDir dir;
  EXPECT_EQ(FileSink::open(dir / "absent", false).error().code(), Code::kNotFound);
  EXPECT_TRUE(FileSink::open("/dev/null", false));
}

TEST(FileSink, WritingAfterCloseFails) {
  TempDir dir;
  asio::io_context loop(1);
  auto sink = FileSink::open(dir / "log", true);
  ASSERT_TRUE(sink);
  (*sink)->close();
  Status result;
  run_on(loop, write_twice(sink->get(), &result));
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace kata::shim
