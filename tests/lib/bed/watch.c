// watch FOLDER COMMAND: prints what inotify tells of a folder, one "<kind> <name>" a line, and runs the
// command as soon as something was moved there.
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char* kind(unsigned mask) {
  if (mask & IN_MOVED_TO) return "moved";
  if (mask & IN_MOVED_FROM) return "from";
  if (mask & IN_CREATE) return "create";
  if (mask & IN_DELETE) return "delete";
  return "other";
}

int main(int argc, char** argv) {
  int notify = inotify_init1(0);
  if (argc != 3 || inotify_add_watch(notify, argv[1], IN_CREATE | IN_DELETE | IN_MOVE) < 0) return 1;
  setvbuf(stdout, NULL, _IOLBF, 4096);
  puts("ready");
  _Alignas(struct inotify_event) char buffer[16384];
  ssize_t got;
  while ((got = read(notify, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < got;) {
      const struct inotify_event* event = (const void*)(buffer + at);
      printf("%s %s\n", kind(event->mask), event->len ? event->name : "");
      if (event->mask & IN_MOVED_TO && system(argv[2]) != 0) return 1;
      at += sizeof *event + event->len;
    }
  }
  return 1;
}
