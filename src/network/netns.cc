#include "network/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "network/in_netns.h"

namespace kata::network {

Result<Netns> open_netns(std::string path) {
  // Not a name space at all may be a fifo.
  TRY(UniqueFd fd, in_step("network namespace", open_file(path, O_RDONLY | O_NONBLOCK)));
  if (ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return fail(Code::kInvalidArgument, path + " is not a network namespace");
  }
  return Netns{std::move(fd), std::move(path)};
}

Result<ino_t> netns_inode(int fd) {
  struct stat data {};
  if (fstat(fd, &data) < 0) return fail_errno("look at the network namespace");
  return data.st_ino;
}

uint64_t netns_cookie() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (!fd || getsockopt(fd.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0) return 0;
  return cookie;
}

Result<NetnsId> identify(const Netns& netns) {
  NetnsId id{netns.path, 0, 0};
  TRY(id.inode, netns_inode(netns.fd.get()));
  TRY_STATUS(run_in_netns(netns.fd.get(), [&] { id.cookie = netns_cookie(); }));
  return id;
}

}  // namespace kata::network
