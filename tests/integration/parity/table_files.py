"""Rows about the root file system and mounts."""
from parity.case import Group, Single


def bind(destination, *options, source="@BIND@"):
    return {"destination": destination, "type": "bind", "source": source, "options": ["rbind", *options]}


FLAGS = "grep ' %s ' /proc/mounts | awk '{print $2, $3, $4}' | sed -E 's/,(inode64|relatime)//g'"
WHERE = "awk '$5 == \"%s\" {print $5, $6}' /proc/self/mountinfo | sed -E 's/,relatime//'"
PEER = "awk '$5 == \"%s\" {sub(/:.*/, \"\", $7); print $7}' /proc/self/mountinfo"

CASES = [
    Group("file system", image=True, probes={
        "modes and owners": "stat -c '%n %A %u %g' / /tmp /root /home /etc/passwd /bin/busybox",
        "hard links of the image": "test $(stat -c %i /bin/ls) = $(stat -c %i /bin/cat) && echo same; stat -c %h /bin/ls",
        "write, append, read": "echo a > /f; echo b >> /f; cat /f",
        "rename over another": "echo 1 > /a1; echo 2 > /a2; mv /a1 /a2; cat /a2; ls /a1",
        "rename a folder of the image": "mkdir -p /q/r && mv /q /q2 && ls -d /q2/r",
        "unlinked but open": "echo kept > /u; exec 3< /u; rm /u; cat <&3; ls /u",
        "hard link": "echo x > /h1; ln /h1 /h2; stat -c %h /h1; rm /h1; cat /h2",
        "symbolic link": "ln -s /etc/passwd /s; readlink /s; head -n 1 /s",
        "link loop": "ln -s /l2 /l1; ln -s /l1 /l2; cat /l1",
        "folder not empty": "mkdir -p /d/e; rmdir /d",
        "folder removed": "mkdir -p /d3/e; rm -r /d3; ls /d3",
        "not a folder": "ls /etc/passwd/x",
        "mode bits": "touch /m; chmod 6751 /m; stat -c %A /m",
        "owner change drops setuid": "touch /o; chmod 4755 /o; chown 1000:1000 /o; stat -c '%A %u %g' /o",
        "owner 0 again": "touch /o2; chown 1000 /o2; chown 0 /o2; stat -c %u /o2",
        "times": "touch -d '2001-02-03 04:05:06' /t; stat -c %Y /t",
        "named pipe": "mkfifo /p; (echo through > /p) & cat /p",
        "character device": "mknod /n c 1 3; echo x > /n; stat -c '%F %t %T' /n",
        "long name": "touch /$(printf '%0255d' 1) && echo made; touch /$(printf '%0256d' 1)",
        "many entries": "mkdir /many; cd /many; seq 1 500 | xargs touch; ls | wc -l; rm -r /many; echo $?",
        "sparse file": "truncate -s 64M /sp; stat -c %s /sp; test $(du -k /sp | cut -f 1) -lt 100 && echo sparse",
        "truncate": "echo 123456 > /tr; truncate -s 3 /tr; cat /tr",
        "copy with attributes": "mkdir /c; cp -a /etc /c; diff -r /etc /c/etc && stat -c %a /c/etc/passwd",
        "archive": "tar c -C / etc | tar t | sort | head -n 3",
        "dates do not stand still": "touch /x1; sleep 1.1; touch /x2; test /x2 -nt /x1 && echo newer",
        "execute what was written": "mkdir /x; cp /bin/busybox /x/echo; /x/echo run",
        "removed file of the image": "rm /etc/group; ls /etc/group",
        "space is free": "test $(df -k / | awk 'NR == 2 {print $4}') -gt 1000 && echo yes",
        "shell glob and sort": "cd /etc; echo *",
        "large copy": "dd if=/dev/zero bs=1M count=16 2>/dev/null | tee /big | md5sum; md5sum < /big; rm /big",
    }),
    Group("default mounts", image=True, probes={
        **{f"mount {point}": FLAGS % point for point in
           ("/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/run")},
        "shared memory size": "df -k /dev/shm | awk 'NR == 2 {print $2}'",
        "device nodes": "ls /dev",
        "device numbers": "cd /dev; stat -c '%n %A %t %T %u %g' null zero full random urandom tty",
        "device links": "cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done",
        "full device": "echo x > /dev/full",
        "zero device": "head -c 4 /dev/zero | od -An -tx1",
        "pseudo terminals": "ls /dev/pts; test -e /dev/ptmx && echo multiplexer",
        "message queues": "touch /dev/mqueue/q && ls /dev/mqueue",
        "masked folder": "ls -A /sys/firmware | wc -l",
        "masked file": "cat /proc/timer_list | wc -c",
        "read-only in proc": "echo 1 > /proc/irq/default_smp_affinity",
        "read-only sysctl": "echo x > /proc/sys/kernel/domainname",
        "read-only sys": "mkdir /sys/x",
        "unlisted device refused": "mknod /tmp/b b 8 0 && cat /tmp/b",
        "links of network": "ls /sys/class/net",
        "loopback is up": "ip -o -4 addr show lo | awk '{print $4}'; ip -o -6 addr show lo | awk '{print $4}'",
        "loopback answers": "ping -c 1 -W 2 127.0.0.1 | grep -c 'bytes from'",
        "loopback tcp": "(echo hello | nc -l -p 4000) & sleep 0.3; nc -w 2 127.0.0.1 4000",
        "no route": "ip route; nc -w 1 192.0.2.1 80",
        "cgroup is the root of its namespace or hidden": "ls /sys/fs/cgroup 2>/dev/null | wc -l",
    }),
    Group("read-only root", spec={"root.readonly": True}, probes={
        "root": "touch /x", "tmp": "touch /tmp/x", "remove": "rm /etc/passwd", "chmod": "chmod 777 /etc",
        "shared memory is writable": "echo y > /dev/shm/x && cat /dev/shm/x",
        "run is writable": "echo y > /run/x && cat /run/x",
        "flag": "awk '$5 == \"/\" {print $6}' /proc/self/mountinfo | cut -d , -f 1",
    }),
    Group("bind mounts", host="mkdir $BIND/sub; echo host > $BIND/file; chmod 640 $BIND/file; chown 1000:1000 $BIND/sub;"
                              "printf '#!/bin/sh\\necho ran\\n' > $BIND/prog; chmod 755 $BIND/prog",
          spec={"mounts+": [bind("/rw", "rw"), bind("/ro", "ro"), bind("/made/for/it", "ro", "nosuid", "nodev", "noexec"),
                            bind("/etc/one-file", "ro", source="@BIND@/file"),
                            bind("/rw-file", "rw", source="@BIND@/file"),
                            bind("/private", "rprivate"), bind("/slave", "rslave")]}, probes={
              "content": "cat /rw/file /ro/file /etc/one-file; ls /rw",
              "attributes": "stat -c '%n %A %u %g' /rw/file /rw/sub /etc/one-file",
              "write through": "echo new > /rw/new; cat /ro/new",
              "write refused": "touch /ro/x",
              "file write refused": "echo x > /etc/one-file",
              "file write allowed": "echo more >> /rw-file; cat /rw/file",
              "remount refused": "mount -o remount,rw /ro",
              "flags read-write": WHERE % "/rw", "flags read-only": WHERE % "/ro",
              "flags all": WHERE % "/made/for/it",
              "execution refused": "/made/for/it/prog",
              "execution allowed": "/rw/prog",
              "mount point was made": "stat -c %F /made/for",
              "target file was made": "stat -c %F /etc/one-file",
              "private": PEER % "/private",
              "rename inside": "echo 1 > /rw/a; mv /rw/a /rw/b; cat /rw/b",
              "rename across": "echo 1 > /rw/c; mv /rw/c /tmp/c; cat /tmp/c",
              "unlink refused": "rm /ro/file",
              "target is busy": "rm /etc/one-file",
          }),
    Group("tmpfs mounts", spec={"mounts+": [
        {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "mode=700", "uid=1000", "noexec"]},
        {"destination": "/etc/over", "type": "tmpfs", "source": "x", "options": ["ro", "nosuid"]},
        {"destination": "/var/deep/tree", "type": "tmpfs", "source": "tmpfs", "options": []}]}, probes={
            "options": "stat -c '%a %u' /t; df -k /t | awk 'NR == 2 {print $2}'",
            "size is kept": "head -c 2000000 /dev/zero > /t/f; stat -c %s /t/f",
            "no execution": "cp /bin/true /t/ 2>/dev/null; cp /etc/hostname /t/x; chmod 755 /t/x; /t/x",
            "read-only tmpfs": "touch /etc/over/x",
            "made on the way": "touch /var/deep/tree/x && ls /var/deep/tree",
            "flags": WHERE % "/etc/over",
        }),
    Group("masked and read-only paths", host="echo x > $BIND/f", spec={
        "mounts+": [bind("/b", "rw")],
        "linux.maskedPaths": ["/etc/passwd", "/home", "/no/such/path"],
        "linux.readonlyPaths": ["/etc", "/no/such/path"]}, probes={
            "masked file is empty": "cat /etc/passwd | wc -c",
            "masked folder is empty": "ls -A /home; stat -c %F /home",
            "masked folder is read-only": "touch /home/x",
            "read-only path": "touch /etc/x",
            "others are writable": "touch /root/x /b/x && echo ok",
            "proc is not protected any more": "test -w /proc/sys/kernel/domainname && echo writable",
        }),
    Group("later mounts win", spec={"mounts+": [
        {"destination": "/m", "type": "tmpfs", "source": "a", "options": ["size=1m"]},
        {"destination": "/m/n", "type": "tmpfs", "source": "b", "options": ["size=2m"]},
        {"destination": "/m", "type": "tmpfs", "source": "c", "options": ["size=3m"]}]}, probes={
            "on top": "df -k /m | awk 'NR == 2 {print $2}'", "below is hidden": "ls -A /m",
            "all are there": "grep -c ' /m' /proc/mounts",
        }),
    Single("missing bind source", ["true"], spec={"mounts+": [bind("/x", source="/no/such/source")]}),
    Single("folder over a file", ["true"], spec={"mounts+": [bind("/etc/passwd")]}),
    Single("unknown file system", ["true"], spec={"mounts+": [
        {"destination": "/x", "type": "nosuchfs", "source": "x", "options": []}]}),
    Single("link out of the root as a mount point", ["ls", "/inside/etc-evil"],
           rootfs="ln -s /etc-evil $ROOT/link; mkdir $ROOT/inside; ln -s / $ROOT/inside/up",
           spec={"mounts+": [{"destination": "/inside/up/inside/etc-evil", "type": "tmpfs", "source": "x"}]}),
]
