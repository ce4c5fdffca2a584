"""Rows about kernel features: namespaces, devices, sysctls, seccomp, control groups, hooks."""
from bed import tiny_elf
from parity.case import Group, Single


def seccomp(default, *rules, **more):
    return {"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": list(rules), **more}


def rule(action, *names, **more):
    return {"names": list(names), "action": action, **more}


ORDINARY_CALLS = """
    read write open openat close stat fstat lstat newfstatat statx lseek mmap mprotect munmap brk rt_sigaction
    rt_sigprocmask rt_sigreturn ioctl access faccessat faccessat2 pipe pipe2 select pselect6 dup dup2 dup3 getpid clone clone3 fork
    vfork execve execveat exit exit_group wait4 uname fcntl getcwd chdir rename getuid getgid geteuid getegid
    setuid setgid setgroups getppid getpgrp setsid getgroups arch_prctl prctl capset capget futex getdents64
    set_tid_address set_robust_list rseq prlimit64 getrlimit poll ppoll epoll_create1 epoll_ctl epoll_pwait
    epoll_wait gettid tgkill kill readlink readlinkat sigaltstack getrandom nanosleep clock_nanosleep sched_getaffinity sched_yield
    umask pread64 fstatfs statfs fchown fchdir close_range setpgid getsid seccomp madvise clock_gettime
    time setresuid setresgid sendto recvfrom socket connect sysinfo newuname writev readv getpgid
""".split()  # the newest is faccessat2, number 439


def one_call(name, number, default="SCMP_ACT_ERRNO", *extra, **more):
    """A program whose exit status is the errno of one system call under a profile with this default."""
    return Single(name, ["/call"], rootfs=tiny_elf.make(tiny_elf.call_errno(number), "$ROOT/call"),
                  spec={"linux.seccomp": seccomp(default, rule("SCMP_ACT_ALLOW", *ORDINARY_CALLS), *extra, **more)})


def start_hooks(*scripts, **more):
    """startContainer hooks, each a shell script of the container."""
    return {"hooks": {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", text], **more} for text in scripts]}}


CASES = [
    Group("names", spec={"hostname": "parity", "domainname": None}, probes={
        "host name": "hostname; cat /proc/sys/kernel/hostname",
        "host name cannot be changed": "hostname other",
        "namespace links": "ls /proc/self/ns | head -n 4",
        "process list is ours": "ps | head -n 2 | tail -n 1 | awk '{print $1}'",
    }),
    Group("sysctls", spec={"linux.sysctl": {"net.ipv4.ip_forward": "1", "net.ipv4.ip_local_port_range": "2000 3000",
                                            "kernel.msgmax": "4096", "kernel.shm_rmid_forced": "1",
                                            "fs.mqueue.msg_max": "77"}}, probes={
        "forwarding": "cat /proc/sys/net/ipv4/ip_forward", "ports": "cat /proc/sys/net/ipv4/ip_local_port_range",
        "messages": "cat /proc/sys/kernel/msgmax", "shared memory": "cat /proc/sys/kernel/shm_rmid_forced",
        "queues": "cat /proc/sys/fs/mqueue/msg_max",
    }),
    Group("devices", spec={
        "linux.devices": [{"path": "/dev/my/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6},
                          {"path": "/dev/fuse-like", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666},
                          {"path": "/dev/pipe", "type": "p", "major": 0, "minor": 0, "fileMode": 0o600}],
        "linux.resources.devices+": [{"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}]}, probes={
            "made": "stat -c '%n %A %t %T %u %g' /dev/my/null /dev/fuse-like",
            "pipe": "stat -c %F /dev/pipe",
            "usable": "echo x > /dev/my/null && echo written",
            "not allowed": "head -c 1 /dev/fuse-like",
            "refused by rule": "mknod /tmp/m c 1 1 && head -c 1 /tmp/m",
            "read only by rule": "mknod /tmp/k c 1 11 && echo x > /tmp/k",
        }),
    Group("seccomp errors", spec={"linux.seccomp": seccomp(
        "SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "mkdir", "mkdirat"), rule("SCMP_ACT_ERRNO", "symlink", "symlinkat", errnoRet=28),
        rule("SCMP_ACT_ERRNO", "chmod", "fchmodat", "no_such_syscall", errnoRet=38),
        rule("SCMP_ACT_KILL_PROCESS", "sync"),
        rule("SCMP_ACT_ERRNO", "socket", args=[{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]))}, probes={
            "mode": "grep -w ^Seccomp: /proc/self/status",
            "default errno": "mkdir /tmp/d", "given errno": "ln -s a /tmp/l", "another errno": "chmod 700 /tmp",
            "killed": "sync; echo $?", "by argument": "nc -w 1 127.0.0.1 9; nc -w 1 ::1 9",
        }),
    Group("seccomp default refuses", spec={"linux.seccomp": seccomp(
        "SCMP_ACT_ERRNO", rule("SCMP_ACT_ALLOW", *ORDINARY_CALLS), defaultErrnoRet=95)}, probes={
            "default errno": "mkdir /tmp/x", "allowed": "echo fine", "another": "chmod 700 /tmp",
        }),
    Group("control groups", spec={"linux.resources.pids": {"limit": 12}, "linux.resources.memory": {"limit": 50 << 20},
                                  "linux.resources.cpu": {"cpus": "0", "shares": 512, "quota": 50000, "period": 100000}},
          probes={
              "memory limit kills": "dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo $?",
              "and init lives on": "echo alive",
              "processors": "grep ^Cpus_allowed_list /proc/self/status; nproc",
              "process limit": "{ sleep 1; i=0; while [ $i -lt 30 ]; do sleep 8 & i=$((i+1)); done; } 2>&1 | grep -o 'fork.*' | head -n 1",
              "still alive": "wait; echo yes",
          }),
    Group("cgroup namespace", spec={"linux.namespaces+": [{"type": "cgroup"}]}, probes={
        "own cgroup is the root": "cut -d : -f 3 /proc/self/cgroup | sort -u",
    }),
    Group("host hooks", host="printf '#!/bin/sh\\ncat > /dev/null\\necho $1 >> $2\\n' > $BIND/hook; chmod 755 $BIND/hook", spec={
        "mounts+": [{"destination": "/b", "type": "bind", "source": "@BIND@", "options": ["rbind", "rw"]}],
        "hooks": {stage: [{"path": "@BIND@/hook", "args": ["hook", stage, "@BIND@/log"]}]
                  for stage in ("prestart", "createRuntime", "poststart")}}, probes={
            "all ran": "until grep -q poststart /b/log; do sleep 0.1; i=$((i + 1)); [ $i -lt 50 ] || break; done; cat /b/log",
        }),
    Group("start hooks", spec={
        "annotations": {"org.example.parity": 'a "word"'}, "process.user": {"uid": 12, "gid": 34},
        "mounts+": [{"destination": "/b", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}],
        **start_hooks("cat > /b/state; echo one >> /b/log", "echo two >> /b/log", "exec <&-; id >> /b/log; yes | head -n 1 >> /b/log",
                      "echo $PATH >> /b/log; pwd >> /b/log", "echo $E >> /b/log", env=["PATH=/bin", "E=e"])}, probes={
            "all ran in their order": "cat /b/log",
            "state": "grep -o '\"status\":\"[a-z]*\"' /b/state; grep -o '\"pid\":[0-9]*' /b/state; "
                     "grep -o '\"annotations\":{.*org.example.parity.*word' /b/state | grep -c .",
        }),
    Single("createContainer hook of a host program", ["true"], spec={"hooks": {"createContainer": [{"path": "/bin/true"}]}}),
    Single("failing start hook", ["true"], spec=start_hooks("echo no good; exit 3")),
    Single("missing start hook program", ["true"], spec={"hooks": {"startContainer": [{"path": "/no/such/hook"}]}}),
    Single("start hook that takes too long", ["true"], spec=start_hooks("sleep 100", timeout=1)),
    Single("start hook that is killed", ["true"], spec=start_hooks("kill -9 $$")),
    Group("privileged", image=True, flags=("--privileged",), probes={
        "sets": "grep ^Cap /proc/1/status", "proc is writable": "test -w /proc/sys/kernel/domainname && echo yes",
        "seccomp off": "grep -w ^Seccomp: /proc/self/status", "mount works": "mount -t tmpfs x /mnt && echo mounted",
        "sys is writable": "awk '$5 == \"/sys\" {print $6}' /proc/self/mountinfo | cut -d , -f 1",
    }),
    Group("seccomp of the engine", image=True, flags=("--seccomp",), probes={
        "filter is on": "grep -w ^Seccomp: /proc/self/status", "unshare refused": "unshare -U true", "normal work": "ls / | head -n 2",
        "mount refused too": "mount -t tmpfs x /mnt",
    }),
    Single("failing hook", ["true"], spec={"hooks": {"createRuntime": [{"path": "/bin/false"}]}}),
    Single("missing hook program", ["true"], spec={"hooks": {"createRuntime": [{"path": "/no/such/hook"}]}}),
    Single("hook out of time", ["true"], spec={"hooks": {"prestart": [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]}}),
    Single("unknown sysctl", ["true"], spec={"linux.sysctl": {"net.ipv4.no_such_key": "1"}}),
    Single("sysctl of the whole machine", ["true"], spec={"linux.sysctl": {"vm.swappiness": "1"}}),
    Single("unknown seccomp action", ["true"], spec={"linux.seccomp": seccomp("SCMP_ACT_NONE")}),
    one_call("call newer than the profile", 600),
    one_call("call newer than the profile, other default errno", 600, defaultErrnoRet=95),
    one_call("call newer than the profile, default kills", 600, "SCMP_ACT_KILL_PROCESS"),
    one_call("call newer than the profile, default allows", 600, "SCMP_ACT_LOG"),
    one_call("older call that the profile does not name", 101),
    one_call("older call, default kills", 101, "SCMP_ACT_KILL_PROCESS"),
    one_call("call below the newest of a refusing rule", 445, "SCMP_ACT_ERRNO", rule("SCMP_ACT_ERRNO", "landlock_restrict_self")),
    one_call("call of x32", 0x40000000 | 600),
    Single("seccomp kills init", ["sync"], spec={"linux.seccomp": seccomp(
        "SCMP_ACT_ALLOW", rule("SCMP_ACT_KILL_PROCESS", "sync"))}),
    Single("unknown namespace", ["true"], spec={"linux.namespaces+": [{"type": "moon"}]}),
    Single("root folder missing", ["true"], spec={"root.path": "/no/such/root"}),
]
