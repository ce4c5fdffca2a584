#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "base/unique_fd.h"

namespace kata::shim {

// Sends lines to the system log (RFC 3164 over the datagram socket /dev/log), without ever
// blocking: a line that cannot be sent now is dropped. Connects at the first line and again after
// the log daemon restarted. libc's syslog() blocks on a full socket, hence this. Serialised by the
// logger's lock.
class Syslog {
 public:
  explicit Syslog(std::string identifier, std::string path = "/dev/log")
      : identifier_(std::move(identifier)), path_(std::move(path)) {}
  void send(log::Level level, std::string_view line);

 private:
  bool connect();

  std::string identifier_;
  std::string path_;
  UniqueFd socket_;
};

}  // namespace kata::shim
