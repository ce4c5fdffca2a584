#include "agent/init/guest_init.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/container/self_image.h"
#include "agent/init/modules.h"
#include "agent/init/mounts.h"
#include "base/file.h"
#include "base/log.h"

namespace kata::agent {
namespace {

void report(std::string_view step, const Status& status) {
  if (!status) log::failure(step, status.error());
}

// An initrd without /dev/console leaves init without standard streams; the first files that it
// opened would then take these numbers.
void open_console() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    int opened = open("/dev/console", O_RDWR | O_NOCTTY);
    if (opened < 0) opened = open("/dev/null", O_RDWR);
    if (opened >= 0 && opened != fd) {
      dup2(opened, fd);
      close(opened);
    }
  }
}

void set_hostname() {
  auto text = read_file("/etc/hostname", 4096);
  std::string name = text ? text->substr(0, text->find_first_of(" \t\r\n")) : "";
  if (name.empty()) name = "localhost";
  if (sethostname(name.data(), name.size()) < 0) report("hostname", fail_errno("sethostname"));
}

// PID 1 starts with 1024 files; every container costs the agent a handful.
void raise_file_limit() {
  rlimit limit{.rlim_cur = 1 << 16, .rlim_max = 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) report("file limit", fail_errno("setrlimit"));
}

}  // namespace

void init_early(char** argv) {
  // Messages of these steps wait for the console, so the first failure is kept.
  Status mounted = mount_base_filesystems();
  open_console();
  report("base mounts", mounted);
  report("sealed image", continue_from_sealed_image(argv));
  load_listed_modules("/etc/kata-modules");
}

void init_late() {
  report("cgroups", mount_cgroups());
  setsid();
  // A console that is no terminal (or is taken) is no reason to stop.
  ioctl(STDIN_FILENO, TIOCSCTTY, 1);
  setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
  umask(022);
  set_hostname();
  raise_file_limit();
  report("loopback", loopback_up());
}

void become_subreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) report("subreaper", fail_errno("prctl"));
}

void protect_from_oom() {
  report("OOM protection", write_existing("/proc/self/oom_score_adj", "-997"));
}

Status loopback_up() {
  UniqueFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return fail_errno("socket");
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (ioctl(control.get(), SIOCGIFFLAGS, &request) < 0) return fail_errno("flags of lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) < 0) return fail_errno("bring lo up");
  return {};
}

void power_off() {
  sync();
  // Output to a serial console is lost at reboot unless it has left the buffer.
  tcdrain(STDOUT_FILENO);
  if (reboot(RB_POWER_OFF) < 0) report("power off", fail_errno("reboot"));
}

}  // namespace kata::agent
