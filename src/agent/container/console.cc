#include "agent/container/console.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/container/mount_ops.h"
#include "agent/container/mount_target.h"
#include "base/path_beneath.h"

namespace kata::agent {

Result<Console> open_console(int root, const grpc::Box& size) {
  Console console;
  TRY(console.master,
      in_step("open pty", beneath::open_in_root(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY)));
  struct statfs info {};
  if (fstatfs(console.master.get(), &info) < 0) return fail_errno("statfs pty");
  if (info.f_type != DEVPTS_SUPER_MAGIC) {
    return fail(Code::kInvalidArgument, "a terminal needs a devpts mounted on /dev/pts");
  }
  int unlocked = 0;
  if (ioctl(console.master.get(), TIOCSPTLCK, &unlocked) < 0) return fail_errno("unlock pty");
  console.slave.reset(ioctl(console.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.slave) return fail_errno("open pty slave");
  if (size.height() != 0 && size.width() != 0) {
    winsize window{};
    window.ws_row = static_cast<unsigned short>(size.height());
    window.ws_col = static_cast<unsigned short>(size.width());
    if (ioctl(console.master.get(), TIOCSWINSZ, &window) < 0) return fail_errno("set pty size");
  }
  return console;
}

Status mount_console(RootfsContext* context, const Console& console) {
  TRY(UniqueFd target, make_mount_target(context->root.get(), "/dev/console", true));
  return in_step("mount console",
                 mount_at(target.get(), beneath::fd_path(console.slave.get()), "", MS_BIND, ""));
}

Status use_console(const Console& console) {
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(console.slave.get(), fd) < 0) return fail_errno("use terminal as standard stream");
  }
  if (ioctl(0, TIOCSCTTY, 0) < 0) return fail_errno("set controlling terminal");
  return {};
}

}  // namespace kata::agent
