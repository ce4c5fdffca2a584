#include "shim/log/log_sink.h"

#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "shim/log/syslog.h"

namespace kata::shim {

namespace {

// Peers choose what the library complains about: a hostile guest must not fill the log.
void log_protobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  log::debug(message, {{"subsystem", "protobuf"}});
}

}  // namespace

Status redirect_stderr_to_log_fifo(const std::string& path) {
  auto fd = open_file(path, O_RDWR | O_NONBLOCK);
  if (!fd) fd = open_file("/dev/null", O_RDWR);
  if (!fd) return std::unexpected(std::move(fd.error()));
  if (dup2(fd->get(), STDERR_FILENO) < 0) return fail_errno("replace stderr");
  return {};
}

void set_up_log(const std::string& sandbox_id, bool debug) {
  log::set_level(debug ? log::Level::kDebug : log::Level::kInfo);
  log::set_common_field("name", "containerd-shim-v2");
  log::set_common_field("pid", std::to_string(getpid()));
  log::set_common_field("sandbox", sandbox_id);
  log::set_common_field("source", "containerd-kata-shim-v2");
  google::protobuf::SetLogHandler(log_protobuf);
  auto syslog = std::make_shared<Syslog>("kata");
  log::set_sink([syslog](log::Level level, std::string_view message, const log::Fields& fields) {
    const std::string line = log::format_logfmt(level, message, fields);
    // A full fifo must not hold up the shim: the line is lost there.
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    syslog->send(level, line);
  });
}

}  // namespace kata::shim
