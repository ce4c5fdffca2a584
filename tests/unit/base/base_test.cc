#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path_beneath.h"
#include "base/process.h"
#include "base/utf8.h"

namespace kata {
namespace {

std::string make_temp_dir() {
  char path[] = "/tmp/kata-base-XXXXXX";
  return mkdtemp(path);
}

TEST(ErrorTest, ContextReadsFromTheOutside) {
  Result<int> inner = fail_errno("open /x", ENOENT);
  auto outer = in_step("start VM", in_step("read image", std::move(inner)));
  ASSERT_FALSE(outer);
  EXPECT_EQ(outer.error().message(), "start VM: read image: open /x: No such file or directory");
  EXPECT_EQ(outer.error().code(), Code::kNotFound);
  EXPECT_EQ(outer.error().sys_errno(), ENOENT);
}

TEST(FileTest, AtomicWriteReplacesTheContent) {
  std::string dir = make_temp_dir();
  ASSERT_TRUE(write_file_atomic(dir + "/f", "one"));
  ASSERT_TRUE(write_file_atomic(dir + "/f", "two"));
  EXPECT_EQ(read_file(dir + "/f").value_or(""), "two");
  EXPECT_EQ(list_dir(dir)->size(), 1u);
  ASSERT_TRUE(remove_tree(dir));
  EXPECT_FALSE(path_exists(dir));
}

TEST(FileTest, AtomicWriteDoesNotWriteThroughALeftLink) {
  const std::string dir = make_temp_dir(), left = dir + "/.f." + std::to_string(getpid());
  ASSERT_TRUE(write_file(dir + "/other", "kept"));
  ASSERT_EQ(symlink((dir + "/other").c_str(), left.c_str()), 0);
  ASSERT_TRUE(write_file_atomic(dir + "/f", "new"));
  EXPECT_EQ(read_file(dir + "/f").value_or(""), "new");
  EXPECT_EQ(read_file(dir + "/other").value_or(""), "kept");
  EXPECT_FALSE(path_exists(left));
  ASSERT_TRUE(remove_tree(dir));
}

TEST(FileTest, ReadIsBounded) {
  auto zeros = read_file("/dev/zero", 1 << 20);
  ASSERT_FALSE(zeros);
  EXPECT_EQ(zeros.error().code(), Code::kResourceExhausted);
}

TEST(FileTest, RemoveTreeDoesNotFollowSymlinks) {
  std::string dir = make_temp_dir(), outside = make_temp_dir();
  ASSERT_TRUE(write_file(outside + "/keep", "x"));
  ASSERT_EQ(symlink(outside.c_str(), (dir + "/link").c_str()), 0);
  ASSERT_TRUE(remove_tree(dir));
  EXPECT_TRUE(path_exists(outside + "/keep"));
  ASSERT_TRUE(remove_tree(outside));
}

TEST(BeneathTest, SymlinksAreRefusedOrStayInTheRoot) {
  std::string dir = make_temp_dir();
  ASSERT_EQ(symlink("/etc", (dir + "/escape").c_str()), 0);
  auto root = open_file(dir, O_PATH | O_DIRECTORY);
  ASSERT_TRUE(root);
  EXPECT_FALSE(beneath::open(root->get(), "escape/passwd", O_RDONLY));
  EXPECT_FALSE(beneath::open(root->get(), "../etc/passwd", O_RDONLY));
  // Inside the root /etc does not exist, so the link dangles.
  auto inside = beneath::open_in_root(root->get(), "escape/passwd", O_RDONLY);
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().sys_errno(), ENOENT);
  ASSERT_TRUE(beneath::make_dirs(root->get(), "a/b/c", 0755));
  EXPECT_TRUE(path_exists(dir + "/a/b/c"));
  EXPECT_FALSE(beneath::make_dirs(root->get(), "a/../../x", 0755));
  ASSERT_TRUE(remove_tree(dir));
}

TEST(ProcessTest, ReportsExitCodesSignalsAndMissingPrograms) {
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", "exit 7"};
  auto process = Process::spawn(options);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->wait_blocking()->code, 7);

  options.argv = {"/bin/sh", "-c", "kill -9 $$"};
  process = Process::spawn(options);
  ASSERT_TRUE(process);
  auto status = process->wait_blocking();
  EXPECT_EQ(status->code, 137);
  EXPECT_EQ(status->describe(), "killed by signal SIGKILL");

  options.argv = {"/no/such/program"};
  auto missing = Process::spawn(options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "start /no/such/program: No such file or directory");
}

TEST(ProcessTest, OwnTerminalIsTheForegroundOne) {
  UniqueFd master(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master);
  ASSERT_EQ(unlockpt(master.get()), 0);
  UniqueFd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(slave);
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", "echo to my terminal > /dev/tty; cut -d' ' -f5,8 /proc/$$/stat"};
  options.fds = {{slave.get(), 0}, {slave.get(), 1}};
  options.own_terminal = true;
  auto process = Process::spawn(options);
  ASSERT_TRUE(process) << process.error().message();
  auto status = process->wait_blocking();
  ASSERT_TRUE(status);
  // Process group and foreground group of the terminal are the shell itself.
  const std::string pid = std::to_string(process->pid());
  const std::string want = "to my terminal\r\n" + pid + " " + pid + "\r\n";
  std::string got;
  pollfd ready{master.get(), POLLIN, 0};
  while (got.size() < want.size() && poll(&ready, 1, 5000) > 0) {
    char c;
    ASSERT_EQ(read(master.get(), &c, 1), 1);
    got.push_back(c);
  }
  EXPECT_EQ(got, want);
}

TEST(ProcessTest, PassesFdsByNumberAndClosesTheRest) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' ' >&7"};
  options.fds = {{write_end.get(), 7}};
  auto process = Process::spawn(options);
  ASSERT_TRUE(process);
  write_end.reset();
  EXPECT_EQ(process->wait_blocking()->code, 0);
  // 0, 1, 2, the pipe, and the folder that ls itself reads (3).
  EXPECT_EQ(read_fd(read_end.get()).value_or(""), "0 1 2 3 7 ");
}

TEST(EventTest, WakesAllWaitersAndTimesOut) {
  asio::io_context loop(1);
  Event event(loop.get_executor());
  int woken = 0;
  bool in_time = true;
  auto waiter = [](Event e, int* count) -> Task<> {
    co_await e.wait();
    ++*count;
  };
  auto limited = [](Event e, bool* result) -> Task<> { *result = co_await e.wait_for(10ms); };
  spawn(loop.get_executor(), waiter(event, &woken));
  spawn(loop.get_executor(), waiter(event, &woken));
  spawn(loop.get_executor(), limited(event, &in_time));
  asio::steady_timer timer(loop, 50ms);
  timer.async_wait([&](boost::system::error_code) { event.set(); });
  loop.run();
  EXPECT_EQ(woken, 2);
  EXPECT_FALSE(in_time);
}

TEST(LogTest, HostileTextCannotForgeALine) {
  std::string text = "a\nlevel=error \"x\" \x1b[0m";
  std::string logfmt = log::format_logfmt(log::Level::kInfo, text, {{"k", "v w"}});
  EXPECT_EQ(std::count(logfmt.begin(), logfmt.end(), '\n'), 1);
  EXPECT_NE(logfmt.find("k=\"v w\""), std::string::npos);
  EXPECT_EQ(logfmt.find('\x1b'), std::string::npos);
  std::string json = log::format_json(log::Level::kWarn, text, {});
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
  EXPECT_NE(json.find("\"level\":\"WARN\""), std::string::npos);
}

TEST(Utf8, BrokenBytesAreReplaced) {
  EXPECT_EQ(to_valid_utf8("plain \xc3\xa4 \xf0\x9f\x98\x80"), "plain \xc3\xa4 \xf0\x9f\x98\x80");
  EXPECT_EQ(to_valid_utf8("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(to_valid_utf8("\xed\xa0\x80").substr(0, 3), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace kata
