// Streams of a process without a process: plain pipes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/stdio/input_stream.h"
#include "agent/stdio/output_stream.h"
#include "base/event.h"

namespace kata::agent {
namespace {

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    int fds[2];
    ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
    read_.reset(fds[0]);
    write_.reset(fds[1]);
  }
  template <class T>
  void start(Task<T> task, std::optional<T>* result) {
    spawn(loop_.get_executor(), store(std::move(task), result));
  }
  template <class T>
  static Task<> store(Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }
  void turn() {
    loop_.restart();
    loop_.run_for(20ms);
  }
  asio::io_context loop_{1};
  UniqueFd read_, write_;
};

TEST_F(Streams, ReadGivesWhatIsThereUpToTheLimit) {
  auto stream = OutputStream::create(loop_.get_executor(), std::move(read_), false).value();
  ASSERT_EQ(write(write_.get(), "abcdef", 6), 6);
  std::optional<Result<std::string>> result;
  start(stream->read(4), &result);
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(**result, "abcd");
}

TEST_F(Streams, RoomStandsBeforeWhatWasReadAndBeforeTheEnd) {
  auto stream = OutputStream::create(loop_.get_executor(), std::move(read_), false).value();
  ASSERT_EQ(write(write_.get(), "abcdef", 6), 6);
  std::optional<Result<std::string>> result;
  start(stream->read(4, nullptr, 3), &result);
  turn();
  ASSERT_TRUE(result && *result);
  ASSERT_EQ((*result)->size(), 7u) << "the limit is that of the data";
  EXPECT_EQ((*result)->substr(3), "abcd");
  result.reset();
  start(stream->read(4, nullptr, 3), &result);
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->substr(3), "ef");
  result.reset();
  write_.reset();
  start(stream->read(4, nullptr, 3), &result);
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((*result)->size(), 3u);
}

TEST_F(Streams, ReadWaitsForDataAndEndsWhenTheWriterCloses) {
  auto stream = OutputStream::create(loop_.get_executor(), std::move(read_), false).value();
  std::optional<Result<std::string>> result;
  start(stream->read(100), &result);
  turn();
  EXPECT_FALSE(result);
  ASSERT_EQ(write(write_.get(), "x", 1), 1);
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(**result, "x");
  result.reset();
  write_.reset();
  start(stream->read(100), &result);
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_TRUE((**result).empty());
}

// The last output must not get lost, and a background child that keeps the pipe open must not keep
// the reader for ever.
TEST_F(Streams, AfterTheProcessEndedTheRestIsReadAndThenComesTheEnd) {
  auto stream = OutputStream::create(loop_.get_executor(), std::move(read_), false).value();
  std::string all;
  ASSERT_EQ(write(write_.get(), "last words", 10), 10);
  stream->process_ended();
  for (int i = 0; i < 4; ++i) {
    std::optional<Result<std::string>> result;
    start(stream->read(4), &result);
    turn();
    ASSERT_TRUE(result && *result);
    all += **result;
    if ((*result)->empty()) break;
  }
  EXPECT_EQ(all, "last words");
}

TEST_F(Streams, AWaitingReaderWakesWhenTheProcessEnds) {
  auto stream = OutputStream::create(loop_.get_executor(), std::move(read_), false).value();
  std::optional<Result<std::string>> result;
  start(stream->read(4), &result);
  turn();
  stream->process_ended();
  turn();
  ASSERT_TRUE(result && *result);
  EXPECT_TRUE((**result).empty());
}

TEST_F(Streams, WriteWaitsForAReaderThatIsSlow) {
  auto stream = InputStream::create(loop_.get_executor(), std::move(write_)).value();
  std::optional<Status> result;
  const size_t size = 300000;  // more than a pipe holds
  start(stream->write(std::string(size, 'x')), &result);
  turn();
  EXPECT_FALSE(result);
  std::string got;
  char buffer[65536];
  while (got.size() < size) {
    ssize_t n = read(read_.get(), buffer, sizeof buffer);
    ASSERT_GT(n, 0);
    got.append(buffer, static_cast<size_t>(n));
    turn();
  }
  ASSERT_TRUE(result && *result);
}

TEST_F(Streams, CloseComesAfterTheWritesBeforeIt) {
  auto stream = InputStream::create(loop_.get_executor(), std::move(write_)).value();
  std::optional<Status> first, second;
  start(stream->write(std::string(100000, 'x')), &first);
  spawn(loop_.get_executor(), stream->close());
  start(stream->write("late"), &second);
  size_t got = 0;
  char buffer[65536];
  turn();
  while (ssize_t n = read(read_.get(), buffer, sizeof buffer)) {
    ASSERT_GT(n, 0);
    got += static_cast<size_t>(n);
    turn();
  }
  EXPECT_EQ(got, 100000u);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
}

TEST_F(Streams, AWriterGivesUpWhenTheProcessEnds) {
  auto stream = InputStream::create(loop_.get_executor(), std::move(write_)).value();
  std::optional<Status> result;
  start(stream->write(std::string(300000, 'x')), &result);
  turn();
  stream->process_ended();
  turn();
  ASSERT_TRUE(result);
  EXPECT_FALSE(*result);
}

}  // namespace
}  // namespace kata::agent
