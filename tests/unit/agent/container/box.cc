#include "agent/container/box.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/file.h"

namespace kata::agent::test {
namespace {

void must(const Status& status) {
  if (!status) panic(status.error().message());
}

void add_mount(grpc::Spec* spec, const char* destination, const char* type, const char* source,
               std::vector<const char*> options) {
  grpc::Mount* mount = spec->add_mounts();
  mount->set_destination(destination);
  mount->set_type(type);
  mount->set_source(source);
  for (const char* option : options) mount->add_options(option);
}

void fill_capabilities(grpc::LinuxCapabilities* caps) {
  for (const char* name :
       {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
        "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
        "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"}) {
    caps->add_bounding(name);
    caps->add_effective(name);
    caps->add_permitted(name);
  }
}

grpc::Spec default_spec() {
  grpc::Spec spec;
  spec.set_version("1.0.2");
  spec.set_hostname("box");
  *spec.mutable_process() = Box::shell("true");
  fill_capabilities(spec.mutable_process()->mutable_capabilities());
  add_mount(&spec, "/proc", "proc", "proc", {"nosuid", "noexec", "nodev"});
  add_mount(&spec, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  add_mount(&spec, "/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
  add_mount(&spec, "/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777"});
  add_mount(&spec, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  add_mount(&spec, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  for (const char* type : {"pid", "ipc", "uts", "mount", "network"}) {
    spec.mutable_linux()->add_namespaces()->set_type(type);
  }
  return spec;
}

void make_root(const std::string& root) {
  for (const char* folder : {"/bin", "/etc", "/proc", "/dev", "/sys", "/tmp"}) {
    must(make_dirs(root + folder));
  }
  auto busybox = read_file("/bin/busybox");
  must(write_file(root + "/bin/busybox", *busybox, 0755));
  chmod((root + "/bin/busybox").c_str(), 0755);
  for (const char* applet : {"sh",       "cat",    "ls",    "id",   "mount",    "umount", "stat",
                             "sleep",    "echo",   "tty",   "true", "hostname", "grep",   "touch",
                             "env",      "ps",     "mknod", "test", "chroot",   "kill",   "dd",
                             "readlink", "ulimit", "mkdir", "wc",   "nice",     "stty",   "head"}) {
    if (link((root + "/bin/busybox").c_str(), (root + "/bin/" + applet).c_str()) < 0) panic("link");
  }
  must(write_file(root + "/etc/passwd",
                  "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n", 0644));
  chmod((root + "/etc/passwd").c_str(), 0644);
}

struct OutputPipes {
  UniqueFd out, err;
};

OutputPipes make_pipes(Stdio* stdio) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) panic("pipe");
  stdio->out.reset(out[1]);
  stdio->err.reset(err[1]);
  return {UniqueFd(out[0]), UniqueFd(err[0])};
}

// Reads everything until both ends are closed; a pty reports its end as EIO.
void drain(int out, int err, Outcome* outcome) {
  pollfd fds[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (poll(fds, 2, 20'000) <= 0) panic("output of the container does not end");
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || !fds[i].revents) continue;
      char buffer[4096];
      ssize_t length = read(fds[i].fd, buffer, sizeof buffer);
      if (length <= 0) {
        fds[i].fd = -1;
      } else {
        (i == 0 ? outcome->out : outcome->err).append(buffer, static_cast<size_t>(length));
      }
    }
  }
}

int exit_code(int pidfd) {
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0) {
    if (errno != EINTR) return -1;
  }
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace

bool has_root() {
  return geteuid() == 0;
}

grpc::Process Box::shell(const std::string& script) {
  grpc::Process process;
  process.add_args("sh");
  process.add_args("-c");
  process.add_args(script);
  process.add_env("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  process.set_cwd("/");
  process.set_nonewprivileges(true);
  return process;
}

Box::Box() : spec(default_spec()) {
  char name[] = "/tmp/kata-box-XXXXXX";
  if (!mkdtemp(name)) panic("mkdtemp");
  folder_ = name;
  chmod(name, 0755);
  rootfs_ = folder_ + "/rootfs";
  make_root(rootfs_);
}

Box::~Box() {
  if (init_) {
    (void)signal_pidfd(init_->pidfd(), SIGKILL);
    exit_code(init_->pidfd());
  }
  must(remove_tree(folder_));
}

Outcome Box::run(const std::string& script) {
  return run_args({"sh", "-c", script});
}

Outcome Box::run_args(std::vector<std::string> args) {
  spec.mutable_process()->clear_args();
  for (std::string& arg : args) spec.mutable_process()->add_args(std::move(arg));
  Outcome outcome;
  InitRequest request;
  OutputPipes pipes = make_pipes(&request.stdio);
  request.id = "box";
  request.bundle = folder_;
  request.rootfs = rootfs_;
  request.spec = &spec;
  request.cgroup = cgroup;
  request.join = std::move(join);
  auto created = wait_for_task(create_init(std::move(request)));
  if (!created) {
    outcome.created = std::unexpected(created.error());
    return outcome;
  }
  InitProcess& process = **created;
  UniqueFd console = process.take_console();
  outcome.started = wait_for_task(process.start());
  if (!outcome.started) return outcome;
  drain(console ? console.get() : pipes.out.get(), pipes.err.get(), &outcome);
  outcome.code = exit_code(process.pidfd());
  return outcome;
}

void Box::start_sleeper() {
  spec.mutable_process()->clear_args();
  for (const char* arg : {"sleep", "100"}) spec.mutable_process()->add_args(arg);
  InitRequest request;
  request.id = "box";
  request.rootfs = rootfs_;
  request.spec = &spec;
  request.cgroup = cgroup;
  request.join = std::move(join);
  auto created = wait_for_task(create_init(std::move(request)));
  if (!created) panic(created.error().message());
  init_ = std::move(*created);
  must(wait_for_task(init_->start()));
}

Outcome Box::exec(const std::string& script) {
  return exec(shell(script));
}

Outcome Box::exec(grpc::Process process) {
  Outcome outcome;
  ExecRequest request;
  OutputPipes pipes = make_pipes(&request.stdio);
  request.process = &process;
  request.spec = &spec;
  request.namespaces = &init_->namespaces();
  request.init_pid = init_->pid();
  request.cgroup = cgroup;
  auto launched = wait_for_task(exec_process(std::move(request)));
  if (!launched) {
    outcome.started = std::unexpected(launched.error());
    return outcome;
  }
  drain(launched->console ? launched->console.get() : pipes.out.get(), pipes.err.get(), &outcome);
  outcome.code = exit_code(launched->pidfd.get());
  return outcome;
}

}  // namespace kata::agent::test
