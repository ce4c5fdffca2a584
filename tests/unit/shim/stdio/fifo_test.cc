#include "shim/stdio/fifo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

class FifoTest : public ::testing::Test {
 protected:
  FifoTest() : path_(dir_ / "fifo") { EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0); }

  UniqueFd client(int flags) { return std::move(*open_file(path_, flags | O_NONBLOCK)); }
  static std::string drain(const UniqueFd& fd) {
    char buffer[65536];
    ssize_t n = read(fd.get(), buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : "";
  }

  TempDir dir_;
  std::string path_;
  asio::io_context loop_{1};
};

Task<> write_to(runtime::OutputSink* sink, std::string text, Status* result) {
  *result = co_await sink->write(text);
}

TEST_F(FifoTest, SinkOutlivesItsReader) {
  auto reader = client(O_RDONLY);
  auto sink = FifoSink::open(loop_.get_executor(), path_);
  ASSERT_TRUE(sink);
  reader.reset();
  Status result;
  run_on(loop_, write_to(sink->get(), "kept", &result));
  EXPECT_TRUE(result) << "no EPIPE without a reader";
  reader = client(O_RDONLY);
  EXPECT_EQ(drain(reader), "kept");
}

TEST_F(FifoTest, CloseGivesTheReaderItsEnd) {
  auto reader = client(O_RDONLY);
  auto sink = FifoSink::open(loop_.get_executor(), path_);
  ASSERT_TRUE(sink);
  char byte;
  EXPECT_EQ(read(reader.get(), &byte, 1), -1) << "nothing yet, but no end either";
  (*sink)->close();
  EXPECT_EQ(read(reader.get(), &byte, 1), 0);
}

TEST_F(FifoTest, AFullFifoHoldsTheWriterUntilSomebodyReads) {
  auto reader = client(O_RDONLY);
  auto sink = FifoSink::open(loop_.get_executor(), path_);
  ASSERT_TRUE(sink);
  Status result = fail(Code::kUnknown, "not done");
  const std::string much(1 << 20, 'x');
  spawn(loop_.get_executor(), write_to(sink->get(), much, &result));
  run_on(loop_, sleep_for(50ms));
  EXPECT_FALSE(result);
  size_t total = 0;
  for (int round = 0; round < 1000 && total < much.size(); ++round) {
    total += drain(reader).size();
    run_on(loop_, sleep_for(1ms));
  }
  EXPECT_EQ(total, much.size());
  EXPECT_TRUE(result);
}

TEST_F(FifoTest, CloseFailsAPendingWrite) {
  auto sink = FifoSink::open(loop_.get_executor(), path_);
  ASSERT_TRUE(sink);
  Status result;
  spawn(loop_.get_executor(), write_to(sink->get(), std::string(1 << 20, 'x'), &result));
  run_on(loop_, sleep_for(20ms));
  (*sink)->close();
  run_on(loop_, sleep_for(20ms));
  EXPECT_FALSE(result);
}

TEST_F(FifoTest, OnlyFifosAreTaken) {
  ASSERT_TRUE(write_file(dir_ / "plain", ""));
  EXPECT_FALSE(FifoSink::open(loop_.get_executor(), dir_ / "plain"));
  EXPECT_FALSE(FifoSource::open(loop_.get_executor(), dir_ / "plain"));
  EXPECT_EQ(FifoSink::open(loop_.get_executor(), dir_ / "absent").error().code(), Code::kNotFound);
}

// Reads until the end of the stream.
Task<> read_all(runtime::InputSource* source, std::string* text, bool* ended) {
  while (true) {
    auto data = co_await source->read(4096);
    if (!data || data->empty()) break;
    *text += *data;
  }
  *ended = true;
}

class SourceTest : public FifoTest {
 protected:
  SourceTest() : source_(std::move(*FifoSource::open(loop_.get_executor(), path_))) {
    spawn(loop_.get_executor(), read_all(source_.get(), &text_, &ended_));
  }
  void pass() { run_on(loop_, sleep_for(30ms)); }
  void send(const UniqueFd& fd, const std::string& text) { EXPECT_TRUE(write_all(fd.get(), text)); }

  std::unique_ptr<FifoSource> source_;
  std::string text_;
  bool ended_ = false;
};

TEST_F(SourceTest, NoWriterYetIsNoEnd) {
  pass();
  EXPECT_FALSE(ended_);
  auto writer = client(O_WRONLY);
  send(writer, "late");
  pass();
  EXPECT_EQ(text_, "late");
}

TEST_F(SourceTest, ADetachingClientEndsNothing) {
  auto writer = client(O_WRONLY);
  send(writer, "one ");
  pass();
  writer.reset();
  pass();
  EXPECT_FALSE(ended_);
  writer = client(O_WRONLY);
  send(writer, "two");
  pass();
  EXPECT_EQ(text_, "one two");
}

TEST_F(SourceTest, CloseIoEndsItAfterWhatWasWritten) {
  auto writer = client(O_WRONLY);
  send(writer, std::string(30000, 'y'));
  source_->close_writer();
  pass();
  EXPECT_TRUE(ended_) << "although the client keeps its end open";
  EXPECT_EQ(text_.size(), 30000u);
}

TEST_F(SourceTest, CloseIoBeforeTheFirstReadCounts) {
  auto other = std::move(*FifoSource::open(loop_.get_executor(), path_));
  source_->close();
  pass();
  auto writer = client(O_WRONLY);
  send(writer, "early");
  other->close_writer();
  std::string text;
  bool ended = false;
  run_on(loop_, read_all(other.get(), &text, &ended));
  EXPECT_EQ(text, "early");
}

TEST_F(SourceTest, CloseEndsAPendingRead) {
  pass();
  source_->close();
  pass();
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace kata::shim
