#include "shim/log/syslog.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "base/utf8.h"

namespace kata::shim {

namespace {

constexpr int kFacilityDaemon = 3 << 3;
// Common limit of system logs.
constexpr size_t kMaxLine = 8192;

int severity(log::Level level) {
  switch (level) {
    case log::Level::kTrace:
    case log::Level::kDebug:
      return 7;
    case log::Level::kInfo:
      return 6;
    case log::Level::kWarn:
      return 4;
    case log::Level::kError:
      return 3;
    case log::Level::kCritical:
      return 2;
  }
  return 6;
}

std::string header(int priority, const std::string& identifier) {
  time_t now = time(nullptr);
  tm parts{};
  localtime_r(&now, &parts);
  char date[32];
  strftime(date, sizeof date, "%b %e %H:%M:%S", &parts);
  return "<" + std::to_string(priority) + ">" + date + " " + identifier + "[" +
         std::to_string(getpid()) + "]: ";
}

}  // namespace

bool Syslog::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, path_.data(), path_.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return false;
  }
  socket_ = std::move(fd);
  return true;
}

void Syslog::send(log::Level level, std::string_view line) {
  if (!socket_ && !connect()) return;
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  std::string text = header(kFacilityDaemon | severity(level), identifier_);
  text += cut_text(line, kMaxLine);
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) return;
    if (errno != ECONNREFUSED && errno != ENOTCONN) return;
    socket_.reset();  // the log daemon restarted
    if (!connect()) return;
  }
}

}  // namespace kata::shim
