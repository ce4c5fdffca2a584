#include "shim/socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/file.h"
#include "ttrpc/transport.h"

namespace kata::shim {

namespace {

// As many callers may connect at once as the kernel allows: each container of a pod comes by
// itself.
constexpr int kBacklog = 4096;

}  // namespace

bool socket_is_live(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > ttrpc::kMaxUnixPath) return false;
  memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return true;
  return errno == EAGAIN;  // a full backlog: it listens, but is busy
}

Result<UniqueFd> bind_socket(const std::string& path) {
  TRY_STATUS(make_dirs(dirname(dirname(path)), 0711));
  TRY_STATUS(make_dir(dirname(path), 0700));
  auto fd = ttrpc::listen_unix(path, kBacklog);
  if (fd || fd.error().sys_errno() != EADDRINUSE) return fd;
  if (socket_is_live(path)) return UniqueFd();
  TRY_STATUS(remove_file(path));
  return ttrpc::listen_unix(path, kBacklog);
}

}  // namespace kata::shim
