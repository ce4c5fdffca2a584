// The boot probe: the smallest PID 1 that shows a guest kernel works.
//
// It says "kata-probe: init reached" on the console as its first act, then the
// memory in use, and powers off.  Benchmarks take it as the bare boot that the
// start of a container is compared with, so it has no C library and does no
// work before that line.  Words after "--" on the kernel command line ask for
// more:
//   modules   load the modules that /etc/kata-modules lists, before the rest
//   features  show file systems, cgroup v2 controllers, and whether AF_VSOCK is there
//   reboot    end by a reset (a machine without ACPI cannot power off)
#include <asm/ioctls.h>
#include <asm/unistd_64.h>
#include <linux/fcntl.h>
#include <linux/reboot.h>

static long call(long number, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

static unsigned long length(const char *text) {
  unsigned long n = 0;
  while (text[n]) ++n;
  return n;
}

static void say(const char *text) { call(__NR_write, 1, (long)text, length(text), 0, 0); }

static void say_number(long value) {
  char digits[24];
  char *at = digits + sizeof digits;
  unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
  *--at = 0;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) *--at = '-';
  say(at);
}

// Reads a whole small file as a string; an unreadable one is empty.
static char *read_file(const char *path) {
  static char text[65536];
  long got = 0;
  long used = 0;
  long fd = call(__NR_open, (long)path, O_RDONLY, 0, 0, 0);
  if (fd >= 0) {
    while (used < (long)sizeof text - 1 &&
           (got = call(__NR_read, fd, (long)text + used, (long)sizeof text - 1 - used, 0, 0)) > 0)
      used += got;
    call(__NR_close, fd, 0, 0, 0, 0);
  }
  text[used] = 0;
  return text;
}

static int starts_with(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++) return 0;
  return 1;
}

// The number after `name` in /proc/meminfo's text, in KiB; -1 if it is absent.
static long meminfo_kib(const char *text, const char *name) {
  long value = 0;
  for (; *text; ++text) {
    if (!starts_with(text, name)) continue;
    for (text += length(name); *text == ' ';) ++text;
    for (; *text >= '0' && *text <= '9'; ++text) value = value * 10 + (*text - '0');
    return value;
  }
  return -1;
}

static void mount_type(const char *type, const char *target) {
  long result = call(__NR_mount, (long)type, (long)target, (long)type, 0, 0);
  if (result == 0) return;
  say("kata-probe: mount of ");
  say(target);
  say(" failed with ");
  say_number(result);
  say("\n");
}

static void show_memory(void) {
  const char *text = read_file("/proc/meminfo");
  say("kata-probe: memory KiB total=");
  say_number(meminfo_kib(text, "MemTotal:"));
  say(" free=");
  say_number(meminfo_kib(text, "MemFree:"));
  say(" available=");
  say_number(meminfo_kib(text, "MemAvailable:"));
  say("\nkata-probe: uptime ");
  say(read_file("/proc/uptime"));
}

static void show_features(void) {
  long vsock = call(__NR_socket, 40 /* AF_VSOCK */, 1 /* SOCK_STREAM */, 0, 0, 0);
  say("kata-probe: release ");
  say(read_file("/proc/sys/kernel/osrelease"));
  say("kata-probe: vsock ");
  say(vsock >= 0 ? "yes\n" : "no\n");
  mount_type("sysfs", "/sys");
  mount_type("cgroup2", "/sys/fs/cgroup");
  say("kata-probe: cgroup2 controllers: ");
  say(read_file("/sys/fs/cgroup/cgroup.controllers"));
  say("kata-probe: file systems:\n");
  say(read_file("/proc/filesystems"));
}

// Loads the modules in the order of the list; a failure is said, not fatal.
static void load_modules(void) {
  char *at = read_file("/etc/kata-modules");
  long loaded = 0;
  while (*at) {
    char *path = at;
    while (*at && *at != '\n') ++at;
    if (*at) *at++ = 0;
    long fd = call(__NR_open, (long)path, O_RDONLY, 0, 0, 0);
    long result = fd < 0 ? fd : call(__NR_finit_module, fd, (long)"", 0, 0, 0);
    call(__NR_close, fd, 0, 0, 0, 0);
    if (result == 0) {
      ++loaded;
      continue;
    }
    say("kata-probe: module ");
    say(path);
    say(" failed with ");
    say_number(result);
    say("\n");
  }
  say("kata-probe: modules loaded ");
  say_number(loaded);
  say("\n");
}

static int asked_for(char **words, const char *word) {
  for (; *words; ++words)
    if (starts_with(*words, word) && length(*words) == length(word)) return 1;
  return 0;
}

__attribute__((used, noreturn)) static void run(long *stack) {
  char **words = (char **)(stack + 1);
  say("kata-probe: init reached\n");
  mount_type("proc", "/proc");
  if (asked_for(words, "modules")) load_modules();
  show_memory();
  if (asked_for(words, "features")) show_features();
  say("kata-probe: done\n");
  call(__NR_ioctl, 1, TCSBRK, 1, 0, 0);  // tcdrain: a reboot drops what is still queued
  call(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
       asked_for(words, "reboot") ? LINUX_REBOOT_CMD_RESTART : LINUX_REBOOT_CMD_POWER_OFF, 0, 0);
  for (;;) call(__NR_pause, 0, 0, 0, 0, 0);
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call run\n");
