#include "shim/stdio/opener.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

class OpenerTest : public ::testing::Test {
 protected:
  void open(StdioPaths paths) {
    run_on(loop_, [](OpenerTest* self, StdioPaths wanted) -> Task<> {
      self->io_ = co_await self->opener_.open(wanted, "c1");
    }(this, std::move(paths)));
  }
  std::string fifo(const std::string& name) {
    EXPECT_EQ(mkfifo((dir_ / name).c_str(), 0600), 0);
    return dir_ / name;
  }

  TempDir dir_;
  asio::io_context loop_{1};
  StdioOpener opener_{loop_.get_executor(), "ns"};
  Result<runtime::ProcessIo> io_;
};

TEST_F(OpenerTest, NothingWantedIsAnInputThatEnds) {
  open({});
  ASSERT_TRUE(io_);
  EXPECT_FALSE(io_->out);
  EXPECT_FALSE(io_->err);
  ASSERT_TRUE(io_->in);
  run_on(loop_, [](runtime::InputSource* in) -> Task<> {
    auto data = co_await in->read(10);
    EXPECT_TRUE(data && data->empty());
  }(io_->in.get()));
}

TEST_F(OpenerTest, ATerminalHasNoStderr) {
  open({fifo("in"), fifo("out"), "", true});
  ASSERT_TRUE(io_) << io_.error().message();
  EXPECT_TRUE(io_->in);
  EXPECT_TRUE(io_->out);
  EXPECT_FALSE(io_->err);
}

TEST_F(OpenerTest, ATerminalWithoutInputIsLeftAlone) {
  open({"", fifo("out"), "", true});
  ASSERT_TRUE(io_);
  EXPECT_FALSE(io_->in);
}

TEST_F(OpenerTest, AFailureLeavesNothingOpen) {
  const std::string out = fifo("out");
  auto reader = open_file(out, O_RDONLY | O_NONBLOCK);
  open({"", out, dir_ / "absent", false});
  ASSERT_FALSE(io_);
  EXPECT_NE(io_.error().message().find("stderr"), std::string::npos);
  char byte;
  EXPECT_EQ(read(reader->get(), &byte, 1), 0) << "end of file: the write end is closed";
}

TEST_F(OpenerTest, AFileTakesBothStreams) {
  open({"", "file://" + (dir_ / "log"), "", false});
  ASSERT_TRUE(io_) << io_.error().message();
  EXPECT_TRUE(io_->out);
  EXPECT_TRUE(io_->err);
}

}  // namespace
}  // namespace kata::shim
