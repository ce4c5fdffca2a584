#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "shim/log/log_sink.h"
#include "shim/log/syslog.h"
#include "shim/shim_test_loop.h"

namespace kata::shim {
namespace {

UniqueFd listen_datagrams(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

std::string receive(const UniqueFd& fd) {
  char buffer[16384];
  ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
  return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : "";
}

TEST(Syslog, SendsTaggedLinesAndSurvivesARestart) {
  TempDir dir;
  auto log = listen_datagrams(dir / "log");
  Syslog syslog("kata", dir / "log");
  syslog.send(log::Level::kError, "broken\n");
  std::string line = receive(log);
  EXPECT_TRUE(line.starts_with("<27>")) << line;
  EXPECT_NE(line.find(" kata[" + std::to_string(getpid()) + "]: broken"), std::string::npos)
      << line;
  log.reset();
  ASSERT_TRUE(remove_file(dir / "log"));
  syslog.send(log::Level::kInfo, "lost");
  log = listen_datagrams(dir / "log");
  syslog.send(log::Level::kInfo, "found");
  EXPECT_NE(receive(log).find("found"), std::string::npos);
}

TEST(Syslog, NeverBlocks) {
  TempDir dir;
  auto log = listen_datagrams(dir / "log");
  Syslog syslog("kata", dir / "log");
  for (int i = 0; i < 5000; ++i) syslog.send(log::Level::kInfo, std::string(1000, 'x'));
}

// In a child, because it replaces stderr.
TEST(LogFifo, TakesCrashTextsAndNeverBlocks) {
  TempDir dir;
  const std::string path = dir / "log";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  auto reader = open_file(path, O_RDONLY | O_NONBLOCK);
  pid_t child = fork();
  if (child == 0) {
    if (!redirect_stderr_to_log_fifo(path)) _exit(1);
    if (write(STDERR_FILENO, "crash\n", 6) != 6) _exit(2);
    std::string much(4096, 'x');
    for (int i = 0; i < 100; ++i) {
      [[maybe_unused]] ssize_t dropped = write(STDERR_FILENO, much.data(), much.size());
    }
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  char text[6];
  ASSERT_EQ(read(reader->get(), text, sizeof text), 6);
  EXPECT_EQ(std::string(text, 6), "crash\n");
}

}  // namespace
}  // namespace kata::shim
