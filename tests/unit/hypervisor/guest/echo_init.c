// A guest for the boot tests: PID 1 that serves vsock port 1024. A connection whose first bytes
// are "report" gets one line about the machine and is closed, any other gets its bytes back.
#include <dirent.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void mount_at(const char *type, const char *dir) {
  mkdir(dir, 0755);
  mount(type, dir, type, 0, NULL);
}

static void say_file(int to, const char *name, const char *path) {
  char text[256];
  int fd = open(path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  if (fd >= 0) close(fd);
  text[n > 0 ? n : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  dprintf(to, "%s=%s ", name, text);
}

static void say_folder(int to, const char *name, const char *path) {
  dprintf(to, "%s=", name);
  DIR *folder = opendir(path);
  for (struct dirent *e; folder && (e = readdir(folder));) {
    if (e->d_name[0] != '.') dprintf(to, "%s,", e->d_name);
  }
  if (folder) closedir(folder);
  dprintf(to, " ");
}

static void report(int to) {
  say_file(to, "cpus", "/sys/devices/system/cpu/present");
  say_file(to, "memory", "/proc/meminfo");
  say_folder(to, "disks", "/sys/class/block");
  say_folder(to, "nets", "/sys/class/net");
  dprintf(to, "\n");
}

static void serve(int client) {
  static char bytes[65536];
  ssize_t n = read(client, bytes, sizeof bytes);
  if (n == 6 && memcmp(bytes, "report", 6) == 0) {
    report(client);
    return;
  }
  for (; n > 0; n = read(client, bytes, sizeof bytes)) {
    for (ssize_t done = 0, w; done < n; done += w) {
      w = write(client, bytes + done, (size_t)(n - done));
      if (w <= 0) return;
    }
  }
}

int main(void) {
  mount_at("devtmpfs", "/dev");
  mount_at("sysfs", "/sys");
  mount_at("proc", "/proc");
  int console = open("/dev/console", O_RDWR);
  for (int fd = 0; console >= 0 && fd < 3; ++fd) dup2(console, fd);
  printf("guest init up\n");
  fflush(stdout);
  signal(SIGCHLD, SIG_IGN);
  int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
  struct sockaddr_vm address = {
      .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 1024};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8)) {
    perror("vsock");
  }
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) {
      sleep(1);
      continue;
    }
    if (fork() == 0) {
      serve(client);
      _exit(0);
    }
    close(client);
  }
}
